import type { CatalogueVersion } from "../schema";
import { h } from "./markup";
import { count, sizeOf, WideTable } from "./parts";

/** Changes shown; the JSON has all. */
const mostChanges = 200;

/** What is another than in the version before. */
export function Changes({ version: { changes } }: { readonly version: CatalogueVersion }) {
  if (changes === undefined) return null;
  const { since, sizes, bases, packages } = changes;
  return (
    <section aria-labelledby="changes">
      <h2 id="changes">
        Since <a href={`../${since}/index.html`}>{since}</a>
      </h2>
      <ul>
        {sizes.map(({ platform, from, to }) => (
          <li>
            {platform}: {sizeOf(from)} → {sizeOf(to)} ({difference(from, to)})
          </li>
        ))}
        {bases.map(({ reference, from, to }) => (
          <li>
            Base <code>{reference}</code>: {from === undefined ? "new" : shortened(from)} →{" "}
            {to === undefined ? "no longer used" : shortened(to)}
          </li>
        ))}
        <li>{packages.length === 0 ? "No package is another." : `${count(packages.length, "package")} differ:`}</li>
      </ul>
      {packages.length === 0 ? null : (
        <WideTable caption={`Packages that differ from ${since}`} columns={["Package", "Before", "Now"]}>
          <tbody>
            {packages.slice(0, mostChanges).map(({ name, from, to }) => (
              <tr>
                <th scope="row">{name}</th>
                <td>{from ?? <span class="quiet">not there</span>}</td>
                <td>{to ?? <span class="quiet">gone</span>}</td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      )}
      {packages.length > mostChanges ? (
        <p class="quiet">{packages.length - mostChanges} more are in the JSON.</p>
      ) : null}
    </section>
  );
}

function shortened(digest: string) {
  return <code title={digest}>{digest.slice(7, 19)}</code>;
}

function difference(from: number, to: number): string {
  if (from === to) return "the same";
  return `${to > from ? "+" : "−"}${sizeOf(Math.abs(to - from))}`;
}
