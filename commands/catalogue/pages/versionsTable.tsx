import type { CatalogueApp, CatalogueRow } from "../schema";
import { Fragment, h } from "./markup";
import { Check, originWords, ProofMark } from "./marks";
import { Age, count, ShortDigest, sizeOf, WideTable } from "./parts";

const facts = ["Digest", "Size", "Created", "Programs", "Smoke", "Signature", "SBOM", "Provenance"];

/** Versions by platform: what each image is and what is known of it. */
export function Versions({
  app,
  versions,
}: {
  readonly app: CatalogueApp;
  readonly versions: readonly CatalogueRow[];
}) {
  if (versions.length === 0) return null;
  const caption = `Versions of ${app.title} by platform, ${count(app.versions.length, "version")} in all`;
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">Versions</h2>
      <WideTable caption={caption} columns={["Version", "Platform", ...facts]}>
        {versions.map((version) => (
          <VersionRows version={version} now={app.generatedAt} />
        ))}
      </WideTable>
    </section>
  );
}

function VersionRows({ version, now }: { readonly version: CatalogueRow; readonly now: string }) {
  const rows = [
    ...version.platforms.map((one) => <Image one={one} />),
    ...version.missing.map((platform) => <Lack platform={platform} />),
  ];
  return (
    <tbody>
      {rows.map((cells, position) => (
        <tr>
          {position === 0 ? <Head version={version} now={now} rows={rows.length} /> : null}
          {cells}
        </tr>
      ))}
    </tbody>
  );
}

interface HeadProps {
  readonly version: CatalogueRow;
  readonly now: string;
  readonly rows: number;
}

function Head({ version, now, rows }: HeadProps) {
  return (
    <th scope="rowgroup" rowspan={rows}>
      <a class="version" href={`${version.tag}/index.html`}>
        {version.version}
      </a>
      {version.tags
        .filter((tag) => tag !== version.tag)
        .map((tag) => (
          <span class="tag">{tag}</span>
        ))}
      <span class="below">
        <Age at={version.released ?? version.published} now={now} />
      </span>
      <span class="below">
        <ProofMark state={version.proof.state} />
      </span>
    </th>
  );
}

function Image({ one }: { readonly one: CatalogueRow["platforms"][number] }) {
  const { checks, signed } = one;
  const attached = (there: boolean): boolean | undefined => (signed === undefined ? undefined : there);
  return (
    <>
      <th scope="row">
        {one.platform}
        <span class="below quiet">{originWords(one.origin)}</span>
      </th>
      <td>
        <ShortDigest digest={one.digest} />
      </td>
      <td class="number">{sizeOf(one.size)}</td>
      <td class="one-line">{(one.created ?? "–").slice(0, 10)}</td>
      <td>
        <Check ok={checks && true} yes={`${checks?.programs ?? 0} fit`} />
      </td>
      <td>
        {checks && checks.smoke === undefined ? (
          <span class="quiet">none</span>
        ) : (
          <span title={checks?.smoke?.join(" ")}>
            <Check ok={checks && true} yes="answered" />
          </span>
        )}
      </td>
      <td>
        <Check ok={signed} yes="verified" no="not verified" />
      </td>
      <td>
        <Check ok={attached(one.sbom)} yes="yes" no="none" />
      </td>
      <td>
        <Check ok={attached(one.provenance)} yes="yes" no="none" />
      </td>
    </>
  );
}

function Lack({ platform }: { readonly platform: string }) {
  return (
    <>
      <th scope="row">{platform}</th>
      <td colspan={facts.length} class="no">
        <span aria-hidden="true">✕</span> missing
      </td>
    </>
  );
}
