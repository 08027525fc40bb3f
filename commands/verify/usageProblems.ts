import { existsSync } from "node:fs";
import { z } from "zod";
import { signingWorkflow, textRule } from "../../components/config/attestConfig";
import { check } from "../../components/config/problems";
import { parseReference } from "../../components/model/reference";
import { reasonOf } from "../../components/model/reasonOf";

/** What was given to `npm run verify`, as far as it can be wrong. */
export interface VerifyUsage {
  readonly reference: string;
  readonly key?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly trustedRoot?: string;
  readonly repository?: string;
  readonly workflow?: string;
  readonly ref?: readonly string[];
  readonly source?: string;
  readonly commit?: string;
  readonly ignoreTlog?: boolean;
  readonly timestamps?: boolean;
}

const reference = z.string().superRefine((value, context) => {
  const mistake = referenceMistake(value);
  if (mistake !== undefined) context.addIssue({ code: "custom", message: mistake });
});

const pattern = z.string().superRefine((value, context) => {
  if (textRule(value) !== undefined) return;
  const what = value.startsWith("^") ? "it is not that" : "it would match anywhere in a name";
  const accepted = "a URL, or a regular expression that begins with ^, without alternatives outside of brackets";
  context.addIssue({ code: "custom", message: `${what}; accepted is ${accepted}` });
});

/**
 * Every mistake in it, a line each: where, what, and what is accepted. None when all can be used.
 * @param exists whether there is such a file.
 */
export function usageProblems(usage: VerifyUsage, exists: (file: string) => boolean = existsSync): readonly string[] {
  const isKey = (key: string) => /^[a-z0-9]+:\/\/./.test(key) || exists(key);
  const options = z
    .object({
      reference,
      "--key": z
        .string()
        .refine(isKey, "there is no such file; accepted is a file, env://NAME, or the URI of a key management service")
        .optional(),
      "--identity": pattern.optional(),
      "--issuer": pattern.optional(),
      "--trusted-root": z
        .string()
        .refine(exists, "there is no such file; accepted is a file of `cosign trusted-root create`")
        .optional(),
      "--repository": signingWorkflow.repository.optional(),
      "--workflow": signingWorkflow.workflow.optional(),
      "--ref": z.array(signingWorkflow.ref).optional(),
      "--source": z
        .string()
        .regex(/^https?:\/\/[^\s/]+\/\S+$/, "it is not the URL of a repository; accepted is https://HOST/PATH")
        .optional(),
      "--commit": z
        .string()
        .regex(/^[0-9a-f]{40}$/, "it is not a commit; accepted is 40 lower-case hex digits")
        .optional(),
    })
    .refine((given) => given["--key"] ?? given["--identity"] ?? given["--repository"], {
      path: ["--repository"],
      error:
        "whose signatures to accept? Accepted is the mirror's own OWNER/NAME, or --identity with a keyless signer, or --key with a public key",
      when: () => true,
    })
    .refine((given) => given["--key"] !== undefined || !usage.ignoreTlog || usage.timestamps, {
      path: ["--ignore-tlog"],
      error:
        "nothing is left that says when a certificate was used, and it expires after ten minutes; accepted is it with --timestamps",
      when: () => true,
    });
  const result = check(options, {
    reference: usage.reference,
    "--key": usage.key,
    "--identity": usage.identity,
    "--issuer": usage.issuer,
    "--trusted-root": usage.trustedRoot,
    "--repository": usage.repository,
    "--workflow": usage.workflow,
    "--ref": usage.ref,
    "--source": usage.source,
    "--commit": usage.commit,
    "--ignore-tlog": usage.ignoreTlog,
  });
  return result.success ? [] : result.problems;
}

function referenceMistake(value: string): string | undefined {
  try {
    const { tag, digest } = parseReference(value);
    if (tag !== undefined || digest !== undefined) return undefined;
    return "it names no image of a repository; accepted is a tag or a digest behind it";
  } catch (error) {
    return reasonOf(error);
  }
}
