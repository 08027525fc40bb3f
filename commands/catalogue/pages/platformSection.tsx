import type { CataloguePlatform } from "../schema";
import { type Children, Fragment, h } from "./markup";
import { originWords } from "./marks";
import { anchorOf, count, Fact, Out, ShortDigest, sizeOf, Time, WideTable } from "./parts";

/** One image: what it was built from, how it runs, and its layers. */
export function Platform({ platform: one }: { readonly platform: CataloguePlatform }) {
  const id = anchorOf(one.platform);
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{one.platform}</h2>
      <dl class="facts">
        <Fact name="Digest">
          <code data-copy={one.digest} data-name={`digest for ${one.platform}`}>
            {one.digest}
          </code>
        </Fact>
        <Fact name="Origin">
          {originWords(one.origin)}
          {one.from === undefined ? null : (
            <>
              , from <code>{one.from}</code>
            </>
          )}
        </Fact>
        <Fact name="Size">{sizeOf(one.size)}, compressed</Fact>
        {one.created === undefined ? null : (
          <Fact name="Created">
            <Time at={one.created} />
          </Fact>
        )}
        <Fact name="Downloads">
          {one.sbom === undefined ? (
            "no SBOM"
          ) : (
            <a href={one.sbom.file}>SBOM, SPDX, {count(one.sbom.packages, "package")}</a>
          )}
          {one.provenance === undefined ? null : (
            <>
              , <a href={one.provenance.file}>provenance, SLSA</a>
            </>
          )}
        </Fact>
        <Vulnerabilities found={one.vulnerabilities} />
      </dl>
      {one.build === undefined ? null : <Build build={one.build} />}
      <h3>Runs as</h3>
      <dl class="facts">
        <Fact name="Entrypoint">{list(one.entrypoint, " ")}</Fact>
        <Fact name="Command">{list(one.command, " ")}</Fact>
        <Fact name="User">
          {one.user === "" ? <span class="quiet">root (none is set)</span> : <code>{one.user}</code>}
        </Fact>
        <Fact name="Folder">{list([one.workingDirectory].filter(Boolean), " ")}</Fact>
        <Fact name="Ports">{list(one.ports)}</Fact>
        <Fact name="Volumes">{list(one.volumes)}</Fact>
        <Fact name="Environment">{lines(one.environment)}</Fact>
        <Fact name="Labels">{lines(Object.entries(one.labels).map(([key, value]) => `${key}=${value}`))}</Fact>
      </dl>
      <Layers platform={one} />
    </section>
  );
}

function list(values: readonly string[], separator = ", "): Children {
  return values.length === 0 ? <span class="quiet">none</span> : <code>{values.join(separator)}</code>;
}

function lines(values: readonly string[]): Children {
  if (values.length === 0) return <span class="quiet">none</span>;
  return (
    <ul class="lines">
      {values.map((value) => (
        <li>
          <code>{value}</code>
        </li>
      ))}
    </ul>
  );
}

function Vulnerabilities({ found }: { readonly found: CataloguePlatform["vulnerabilities"] }) {
  if (found === undefined) return null;
  const counts = Object.entries(found.counts);
  return (
    <Fact name="Known vulnerabilities">
      {counts.length === 0 ? "none" : counts.map(([severity, number]) => `${number} ${severity}`).join(", ")}
      <span class="quiet">
        {" "}
        ({found.scanner}, <Time at={found.scannedAt} />
        {found.database === undefined ? null : (
          <>
            , database of <Time at={found.database} />
          </>
        )}
        )
      </span>
    </Fact>
  );
}

function Build({ build }: { readonly build: NonNullable<CataloguePlatform["build"]> }) {
  const { dockerfile, frontend, subdirectory, target, bases, files } = build;
  return (
    <>
      <h3>Built from</h3>
      <dl class="facts">
        <Fact name="Dockerfile">
          <code>{dockerfile.path}</code> {dockerfile.owner === "mirror" ? "of the mirror" : "of upstream"}
          <span class="quiet"> sha256 {dockerfile.sha256}</span>
        </Fact>
        {subdirectory === undefined ? null : <Fact name="Folder">{list([subdirectory])}</Fact>}
        {target === undefined ? null : <Fact name="Stage">{list([target])}</Fact>}
        <Fact name="Arguments">{lines(Object.entries(build.arguments).map(([key, value]) => `${key}=${value}`))}</Fact>
        <Fact name="Bases">{lines(bases.map(({ reference, digest }) => `${reference}@${digest}`))}</Fact>
        {files.length === 0 ? null : (
          <Fact name="Files">{lines(files.map(({ url, sha256 }) => `${url} sha256:${sha256}`))}</Fact>
        )}
        {frontend === undefined ? null : (
          <Fact name="Frontend">{lines([`${frontend.reference}@${frontend.digest}`])}</Fact>
        )}
        <Fact name="Builder">
          <Out href={build.builder}>{build.builder}</Out>
          {build.run === undefined ? null : (
            <>
              , <Out href={build.run}>this run</Out>
            </>
          )}
          , <Time at={build.startedAt} /> to <Time at={build.finishedAt} />
        </Fact>
      </dl>
    </>
  );
}

function Layers({ platform: { platform, layers } }: { readonly platform: CataloguePlatform }) {
  const made = layers.filter(({ digest }) => digest !== undefined).length;
  return (
    <details>
      <summary>
        {count(made, "layer")} in {count(layers.length, "step")}
      </summary>
      <WideTable caption={`Layers of ${platform}, the lowest first`} columns={["Layer", "Size", "Step"]}>
        <tbody>
          {layers.map(({ digest, size, command }) => (
            <tr>
              <td>{digest === undefined ? <span class="quiet">none</span> : <ShortDigest digest={digest} />}</td>
              <td class="number">{size === undefined ? "–" : sizeOf(size)}</td>
              <td class="evidence">
                <code>{command ?? "not told"}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </WideTable>
    </details>
  );
}
