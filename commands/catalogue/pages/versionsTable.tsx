import type { CatalogueApp, CatalogueRow } from "../schema";
import { h } from "./markup";
import { Age, Check, count, originWords, ProofMark, ShortDigest, sizeOf, WideTable } from "./parts";

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
  const columns = ["Digest", "Size", "Created", "Programs", "Smoke", "Signature", "SBOM", "Provenance"];
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">Versions</h2>
      <WideTable caption={caption}>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Platform</th>
            {columns.map((column) => (
              <th scope="col">{column}</th>
            ))}
          </tr>
        </thead>
        {versions.map((version) => (
          <VersionRows version={version} now={app.generatedAt} />
        ))}
      </WideTable>
    </section>
  );
}

function VersionRows({ version, now }: { readonly version: CatalogueRow; readonly now: string }) {
  const others = version.tags.filter((tag) => tag !== version.tag);
  const rows = version.platforms.length + version.missing.length;
  const head = (
    <th scope="rowgroup" rowspan={Math.max(1, rows)}>
      <a class="version" href={`${version.tag}/index.html`}>
        {version.version}
      </a>
      {others.map((tag) => (
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
  return (
    <tbody>
      {version.platforms.map((one, position) => (
        <tr>
          {position === 0 ? head : null}
          <th scope="row">
            {one.platform}
            <span class="below quiet">{originWords(one.origin)}</span>
          </th>
          <td class="one-line">
            <ShortDigest digest={one.digest} />
          </td>
          <td class="number">{sizeOf(one.size)}</td>
          <td class="one-line">{(one.created ?? "–").slice(0, 10)}</td>
          <td>
            {one.checks === undefined ? (
              <span class="quiet">not known</span>
            ) : (
              <Check ok yes={`${one.checks.programs} fit`} />
            )}
          </td>
          <td>
            {one.checks?.smoke === undefined ? (
              <span class="quiet">{one.checks === undefined ? "not known" : "none"}</span>
            ) : (
              <span title={one.checks.smoke.join(" ")}>
                <Check ok yes="answered" />
              </span>
            )}
          </td>
          <td>
            <Check ok={one.signed} yes="verified" no="not verified" />
          </td>
          <td>
            <Check ok={one.signed === undefined ? undefined : one.sbom} yes="yes" no="none" />
          </td>
          <td>
            <Check ok={one.signed === undefined ? undefined : one.provenance} yes="yes" no="none" />
          </td>
        </tr>
      ))}
      {version.missing.map((platform, position) => (
        <tr>
          {version.platforms.length === 0 && position === 0 ? head : null}
          <th scope="row">{platform}</th>
          <td colspan={8} class="no">
            <span aria-hidden="true">✕</span> missing
          </td>
        </tr>
      ))}
    </tbody>
  );
}
