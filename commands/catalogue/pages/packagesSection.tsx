import type { CatalogueVersion } from "../schema";
import { h } from "./markup";
import { PageLinks, WideTable } from "./parts";

/** Packages on one page: more would make it longer than anybody wants to load. */
export const packagesOnPage = 700;

/** The file of a version's page, within its folder. @param number from 1; from the second on they hold packages only. */
export function versionPageFile(number: number): string {
  return number === 1 ? "index.html" : `packages-${number}.html`;
}

interface PackagesProps {
  readonly version: CatalogueVersion;
  readonly number: number;
  readonly pages: number;
}

/** What the SBOMs list, a page of it. */
export function Packages({ version: { packages, platforms }, number, pages }: PackagesProps) {
  const shown = packages.slice((number - 1) * packagesOnPage, number * packagesOnPage);
  const scanned = platforms.some(({ sbom }) => sbom !== undefined);
  const differ = shown.some((one) => one.platforms !== undefined);
  if (shown.length === 0) {
    return (
      <section aria-labelledby="packages">
        <h2 id="packages">Packages</h2>
        <p class="empty">{scanned ? "The SBOM lists no package." : "There is no verified SBOM that would say."}</p>
      </section>
    );
  }
  return (
    <section aria-labelledby="packages">
      <h2 id="packages">Packages</h2>
      <div class="search" data-search-for="package-rows" data-label="Search packages and licenses" />
      <WideTable
        caption={`Packages by the attested SBOM, ${packages.length} in all${pages > 1 ? `, page ${number} of ${pages}` : ""}`}
        columns={["Package", "Version", "Kind", "License", ...(differ ? ["Only for"] : [])]}
      >
        <tbody id="package-rows">
          {shown.map(({ name, version, kind, licenses, platforms: only }) => (
            <tr>
              <th scope="row">{name}</th>
              <td>{version}</td>
              <td>{kind ?? ""}</td>
              <td>{licenses ?? <span class="quiet">not told</span>}</td>
              {differ ? <td>{only?.join(", ") ?? ""}</td> : null}
            </tr>
          ))}
        </tbody>
      </WideTable>
      <p class="empty" id="package-rows-none" hidden>
        No package on this page is like that.
      </p>
      {pages === 1 ? null : (
        <PageLinks
          name="Pages of packages"
          number={number}
          links={Array.from({ length: pages }, (_, page) => [
            `${versionPageFile(page + 1)}#packages`,
            `${packages[page * packagesOnPage]?.name ?? page + 1} …`,
          ])}
        />
      )}
    </section>
  );
}
