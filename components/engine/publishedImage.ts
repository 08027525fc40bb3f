import * as pulumi from "@pulumi/pulumi";

const imageType = "docker-build:index:Image";

/** An Image resource as far as this program reads it. */
export interface DeclaredImage extends pulumi.CustomResource {
  /** Reference by digest. */
  readonly ref: pulumi.Output<string>;
}

/**
 * An image that is published, under the type of the library's class. That one makes twenty-six outputs of four promises each,
 * which nobody reads: with thousands of images that is most of what the program computes in a run with nothing to do.
 */
export class PublishedImage extends pulumi.CustomResource implements DeclaredImage {
  declare readonly ref: pulumi.Output<string>;

  constructor(name: string, options: pulumi.CustomResourceOptions) {
    // `ignoreChanges` puts the inputs of the state in the place of these. Should the state have lost the image in the very
    // moment, this build fails, and the next run sees what is missing.
    const nowhere = { push: false, context: { location: "https://localhost:1/published.git" }, ref: undefined };
    super(imageType, name, nowhere, { ...options, ignoreChanges: ["*"], additionalSecretOutputs: ["secrets"] });
  }
}
