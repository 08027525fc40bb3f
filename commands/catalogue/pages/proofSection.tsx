import type { CataloguePlatform, CatalogueVersion } from "../schema";
import { publicKeyFile } from "../verifier";
import { type Children, Fragment, h } from "./markup";
import { Check, ProofMark } from "./marks";
import { Breakable, count, Out, Snippet, Time, WideTable } from "./parts";

/** How a version stands, what was checked and when, and how to check it by hand. */
export function ProofSection({ version: { proof, platforms } }: { readonly version: CatalogueVersion }) {
  return (
    <section aria-labelledby="proof">
      <h2 id="proof">Proof</h2>
      <p>
        <ProofMark state={proof.state} /> {verdict(proof)}
      </p>
      {proof.signers.map((signer) => (
        <Signer signer={signer} />
      ))}
      <WideTable caption="What was checked, when, and what was found" columns={["Check", "Result", "Evidence", "When"]}>
        <tbody>
          {proof.checks.map(({ what, ok, detail, at }) => (
            <tr>
              <th scope="row">{what}</th>
              <td>
                <Check ok={ok} yes="accepted" no="refused" />
              </td>
              <td class="evidence">
                <Breakable text={detail} />
              </td>
              <td>
                <Time at={at} />
              </td>
            </tr>
          ))}
          {platforms.flatMap((platform) => buildChecks(platform))}
        </tbody>
      </WideTable>
      {proof.notChecked.length === 0 ? null : (
        <>
          <p>Not checked:</p>
          <ul>
            {proof.notChecked.map((line) => (
              <li>{line}</li>
            ))}
          </ul>
        </>
      )}
      {proof.commands.length === 0 ? null : (
        <>
          <h3>Verify it yourself</h3>
          {proof.commands.some((command) => command.includes(` ${publicKeyFile} `)) ? (
            <p>
              The key is in <a href={`../../${publicKeyFile}`}>{publicKeyFile}</a>.
            </p>
          ) : null}
          {proof.commands.map((command, position) => (
            <Snippet name={`verify command ${position + 1}`} text={command} />
          ))}
        </>
      )}
    </section>
  );
}

function Signer({ signer }: { readonly signer: CatalogueVersion["proof"]["signers"][number] }) {
  const { subject, run, signedAt, logIndexes } = signer;
  return (
    <p class="quiet">
      Signed by <Breakable text={subject} />
      {run === undefined ? null : (
        <>
          , <Out href={run}>in this run</Out>
        </>
      )}
      {signedAt === undefined ? null : (
        <>
          , <Time at={signedAt} />
        </>
      )}
      {logIndexes.length === 0 ? "" : `, in the transparency log as ${logIndexes.join(", ")}`}.
    </p>
  );
}

/** No more than was done: who looked, when, and by whose signatures. */
function verdict({ state, at, identity, reason }: CatalogueVersion["proof"]): Children {
  const when = <Time at={at} />;
  const whose = (
    <strong>
      <Breakable text={identity} />
    </strong>
  );
  switch (state) {
    case "verified":
      return (
        <>
          by the catalogue's run at {when}, accepting signatures of {whose}.
        </>
      );
    case "failed":
      return (
        <>
          by the catalogue's run at {when}, which accepts signatures of {whose}.
        </>
      );
    case "unsigned":
      return (
        <>
          The catalogue's run at {when} found no signature of {whose}.
        </>
      );
    case "not checked":
      return <>Nothing is said about signatures: {reason}.</>;
    default:
      return state satisfies never;
  }
}

/** What the run that built an image looked at, as its signed record says. */
function buildChecks({ platform, checks }: CataloguePlatform): readonly Children[] {
  if (checks === undefined) return [];
  const { programs, smoke, identical, at } = checks;
  const rows: readonly (readonly [string, string, string])[] = [
    ["Programs", "fit", `${count(programs, "executable")} of its own layers, each for ${platform}`],
    ...(smoke ? [["Smoke test", "answered", smoke.join(" ")] as const] : []),
    ...(identical
      ? [["Same bytes", "identical", `${identical.path} is ${identical.url}, sha256 ${identical.sha256}`] as const]
      : []),
  ];
  return rows.map(([what, yes, evidence]) => (
    <tr>
      <th scope="row">
        {what} {platform}
      </th>
      <td>
        <Check ok yes={yes} />
      </td>
      <td class="evidence">
        {evidence} <span class="quiet">(the build's signed record)</span>
      </td>
      <td>
        <Time at={at} />
      </td>
    </tr>
  ));
}
