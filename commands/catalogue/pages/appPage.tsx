import type { CatalogueApp, CatalogueIndex } from "../schema";
import { Fragment, h } from "./markup";
import { StateMark } from "./marks";
import { Fact, Out, Page, PageLinks, ShortDigest, Snippet, Staleness, Time, WideTable } from "./parts";
import { Pull } from "./pull";
import { Versions } from "./versionsTable";

/** Versions on one page: more would make it longer than anybody wants to load. */
export const versionsOnPage = 40;

/** The file of an app's page, within its folder. @param number from 1. */
export function appPageFile(number: number): string {
  return number === 1 ? "index.html" : `versions-${number}.html`;
}

interface AppPageProps {
  readonly app: CatalogueApp;
  readonly index: CatalogueIndex;
  /** From 1. */
  readonly number: number;
}

/** An app: how to pull it, and what there is of it. From the second page on only the versions. */
export function AppPage({ app, index, number }: AppPageProps) {
  const pages = Math.max(1, Math.ceil(app.versions.length / versionsOnPage));
  const versions = app.versions.slice((number - 1) * versionsOnPage, number * versionsOnPage);
  const frame = {
    title: `${app.title}${number > 1 ? `, versions, page ${number}` : ""}: image mirror`,
    description: `${app.title}: ${app.description}. Versions, platforms, digests and proofs.`,
    root: "../",
    index,
    json: `../${app.app}.json`,
    feed: "feed.xml",
    trail: [{ text: app.title, href: "index.html" }],
    generatedAt: app.generatedAt,
  };
  return (
    <Page frame={frame}>
      <h1>{app.title}</h1>
      <Staleness at={app.generatedAt} />
      {number > 1 ? null : <Introduction app={app} />}
      <Versions app={app} versions={versions} />
      {pages > 1 ? (
        <PageLinks
          name="Pages of versions"
          number={number}
          links={Array.from({ length: pages }, (_, page) => [appPageFile(page + 1), `${page + 1}`] as const)}
        />
      ) : null}
      {number > 1 ? null : <Rest app={app} index={index} />}
    </Page>
  );
}

function Introduction({ app }: { readonly app: CatalogueApp }) {
  const newest = app.versions[0];
  return (
    <>
      <p class="lead">{app.description}</p>
      <p>
        <StateMark state={app.state} /> <span class="quiet">{app.stateDetail}</span>
      </p>
      <dl class="facts">
        {app.why === undefined ? null : <Fact name="Why">{app.why}</Fact>}
        <Fact name="Upstream">
          <Out href={app.upstream}>{app.upstream}</Out>
        </Fact>
        {app.homepage === undefined ? null : (
          <Fact name="Homepage">
            <Out href={app.homepage}>{app.homepage}</Out>
          </Fact>
        )}
        {app.licenses === undefined ? null : <Fact name="License">{app.licenses}</Fact>}
        <Fact name="Repository">
          <code>{app.repository}</code>
        </Fact>
        {app.lastSuccess === undefined ? null : (
          <Fact name="Last complete run">
            <Time at={app.lastSuccess} />
          </Fact>
        )}
      </dl>
      {app.problems.length === 0 ? null : (
        <section class="problems" aria-labelledby="problems">
          <h2 id="problems">Problems of the last run</h2>
          <ul>
            {app.problems.map((problem) => (
              <li>{problem}</li>
            ))}
          </ul>
        </section>
      )}
      {newest === undefined ? (
        <p class="empty">Nothing is published yet.</p>
      ) : (
        <Pull repository={app.repository} tag={newest.tag} digest={newest.digest} name={app.app} />
      )}
    </>
  );
}

function Rest({ app, index }: { readonly app: CatalogueApp; readonly index: CatalogueIndex }) {
  const address = index.url === undefined ? undefined : `${index.url}${app.app}`;
  return (
    <>
      <FloatingTags app={app} />
      <Missing app={app} />
      <section aria-labelledby="news">
        <h2 id="news">News</h2>
        {app.events.length === 0 ? <p class="empty">Nothing has happened yet.</p> : null}
        <ul class="news">
          {app.events.slice(0, 10).map(({ title, at, page }) => (
            <li>
              <Time at={at} /> <a href={`../${page}`}>{title}</a>
            </li>
          ))}
        </ul>
        <p>
          <a href="feed.xml">Feed of {app.title}</a>
        </p>
      </section>
      <section aria-labelledby="badge">
        <h2 id="badge">Badge</h2>
        <p>
          <img src="badge.svg" alt={`Badge: ${app.title}`} height={20} />
        </p>
        {address === undefined ? (
          <p class="quiet">
            <a href="badge.json">badge.json</a> is for shields.io.
          </p>
        ) : (
          <Snippet name="badge" text={`[![${app.app}](${address}/badge.svg)](${address}/index.html)`} />
        )}
      </section>
    </>
  );
}

function FloatingTags({ app: { floating } }: { readonly app: CatalogueApp }) {
  if (floating.length === 0) return null;
  return (
    <section aria-labelledby="tags">
      <h2 id="tags">Tags that move</h2>
      <WideTable
        caption="Tags that move forward, and the version each names now"
        columns={["Tag", "Version", "Digest"]}
      >
        <tbody>
          {floating.map(({ tag, version, digest }) => (
            <tr>
              <th scope="row">{tag}</th>
              <td>{version ?? <span class="quiet">none of these</span>}</td>
              <td class="one-line">
                <ShortDigest digest={digest} />
              </td>
            </tr>
          ))}
        </tbody>
      </WideTable>
    </section>
  );
}

function Missing({ app: { missing } }: { readonly app: CatalogueApp }) {
  if (missing.length === 0) return null;
  return (
    <section aria-labelledby="missing">
      <h2 id="missing">Not there yet</h2>
      <WideTable
        caption="Versions that are not complete, and why"
        columns={["Version", "Reason", "Failures in a row", "Next try"]}
      >
        <tbody>
          {missing.map(({ version, reason, failures, nextTry }) => (
            <tr>
              <th scope="row">{version}</th>
              <td class="reason">{reason}</td>
              <td class="number">{failures ?? "–"}</td>
              <td>
                {nextTry === undefined ? (
                  "with the next run"
                ) : (
                  <>
                    not before <Time at={nextTry} />
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </WideTable>
    </section>
  );
}
