import type { CatalogueIndex, CatalogueVersion } from "../schema";
import { Fragment, h } from "./markup";
import { PlatformChip, ProofMark } from "./marks";
import { anchorOf, Fact, Out, Page, Time } from "./parts";
import { Changes } from "./changesSection";
import { Packages, packagesOnPage } from "./packagesSection";
import { Platform } from "./platformSection";
import { ProofSection } from "./proofSection";
import { Pull } from "./pull";

interface VersionPageProps {
  readonly version: CatalogueVersion;
  readonly title: string;
  readonly index: Pick<CatalogueIndex, "stack" | "registry" | "namespace" | "generatedAt">;
  /** From 1. */
  readonly number: number;
}

/** A version: what it was made from, what is in it, and what proves it. It says nothing that changes while the version does not. */
export function VersionPage({ version, title, index, number }: VersionPageProps) {
  const name = `${title} ${version.version}`;
  const pages = Math.max(1, Math.ceil(version.packages.length / packagesOnPage));
  const frame = {
    title: `${name}${number > 1 ? `, packages, page ${number}` : ""}: image mirror`,
    description: `${name} in ${version.repository}: proof, contents and origin`,
    root: "../../",
    index,
    json: `../${version.tag}.json`,
    feed: "../feed.xml",
    trail: [
      { text: title, href: "../index.html" },
      { text: version.version, href: "index.html" },
    ],
  };
  return (
    <Page frame={frame}>
      <h1>{name}</h1>
      {number > 1 ? null : <Front version={version} />}
      <Packages version={version} number={number} pages={pages} />
    </Page>
  );
}

function Front({ version }: { readonly version: CatalogueVersion }) {
  const { repository, tag, digest, app, platforms } = version;
  return (
    <>
      <p class="standing">
        <a href="#proof">
          <ProofMark state={version.proof.state} />
        </a>
        {platforms.map(({ platform, origin }) => (
          <a href={`#${anchorOf(platform)}`}>
            <PlatformChip platform={platform} state={origin} />
          </a>
        ))}
        {version.missing.map((platform) => (
          <PlatformChip platform={platform} state="missing" />
        ))}
      </p>
      <Facts version={version} />
      <Pull repository={repository} tag={tag} digest={digest} name={app} />
      <ProofSection version={version} />
      <Changes version={version} />
      {platforms.map((platform) => (
        <Platform platform={platform} />
      ))}
    </>
  );
}

function Facts({ version }: { readonly version: CatalogueVersion }) {
  const { digest, tags, upstream, released, published } = version;
  return (
    <dl class="facts">
      <Fact name="Digest">
        <code data-copy={digest} data-name="digest">
          {digest}
        </code>
      </Fact>
      <Fact name="Tags">
        {tags.map((tag) => (
          <span class="tag">{tag}</span>
        ))}
      </Fact>
      {upstream === undefined ? null : (
        <>
          <Fact name="Upstream">
            <Out href={upstream.repository}>{upstream.repository}</Out>, {upstream.reference}
            {upstream.notes === undefined ? null : (
              <>
                {" "}
                (<Out href={upstream.notes}>notes</Out>)
              </>
            )}
          </Fact>
          <Fact name="Commit">
            <code>{upstream.commit}</code>
            {upstream.committed === undefined ? null : (
              <span class="quiet">
                {" "}
                made <Time at={upstream.committed} />
              </span>
            )}
          </Fact>
        </>
      )}
      {released === undefined ? null : (
        <Fact name="Released upstream">
          <Time at={released} />
        </Fact>
      )}
      {published === undefined ? null : (
        <Fact name="Built">
          <Time at={published} />
        </Fact>
      )}
    </dl>
  );
}
