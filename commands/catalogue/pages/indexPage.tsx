import { Fragment, h } from "./markup";
import type { CatalogueIndex } from "../schema";
import { PlatformChip, ProofMark, StateMark } from "./marks";
import { Age, Breakable, count, Out, Page, Staleness, Time } from "./parts";

/** The first page: every app in a few lines. */
export function IndexPage({ index }: { readonly index: CatalogueIndex }) {
  const { apps, generatedAt, registry, namespace } = index;
  const versions = apps.reduce((sum, app) => sum + app.versions, 0);
  const platforms = [...new Set(apps.flatMap((app) => app.platforms.map(({ platform }) => platform)))].toSorted();
  const frame = {
    title: `Image mirror: ${registry}/${namespace}`,
    description: `Container images in ${registry}/${namespace}, what is in them and how they are verified`,
    root: "",
    index,
    json: "index.json",
    feed: "feed.xml",
    generatedAt,
  };
  return (
    <Page frame={frame}>
      <h1>Multi-platform container images</h1>
      <p class="lead">
        {count(apps.length, "app")} in {count(versions, "version")}, for {platforms.join(", ") || "no platform yet"}.{" "}
        <LastRun index={index} />
      </p>
      <Staleness at={generatedAt} />
      <div class="search" data-search-for="apps" data-label="Search by name, upstream or platform" />
      {apps.length === 0 ? <p class="empty">No app is mirrored.</p> : null}
      <ul class="apps" id="apps">
        {apps.map((app) => (
          <AppCard app={app} now={generatedAt} />
        ))}
      </ul>
      <p class="empty" id="apps-none" hidden>
        Nothing here is like that.
      </p>
      <h2>How to read this</h2>
      <p>
        <em>Verified</em> means: the run that made this catalogue had cosign verify the signatures of the index and of
        each platform, and found an SBOM of every image, the provenance and the mirror's record to be about these very
        digests. Accepted were signatures of{" "}
        <strong>
          <Breakable text={index.identity} />
        </strong>
        . Every version's page says when that was, with the commands to do it yourself.
      </p>
    </Page>
  );
}

function LastRun({ index: { run } }: { readonly index: CatalogueIndex }) {
  if (run === undefined) return null;
  return (
    <>
      The last run{" "}
      {run.endedAt === undefined ? null : (
        <>
          ended <Time at={run.endedAt} /> and{" "}
        </>
      )}
      {run.good ? "went well." : "did not do all of its work."}
    </>
  );
}

function AppCard({ app, now }: { readonly app: CatalogueIndex["apps"][number]; readonly now: string }) {
  const { newest } = app;
  const search = [app.app, app.title, app.description, app.upstream, ...app.platforms.map(({ platform }) => platform)];
  return (
    <li class="card" data-search={search.join(" ").toLowerCase()}>
      <div class="what">
        <h2>
          <a href={`${app.app}/index.html`}>{app.title}</a>
        </h2>
        <p>{app.description}</p>
        {app.why === undefined ? null : <p class="quiet">{app.why}</p>}
        <p class="quiet">
          from <Out href={app.upstream}>{app.upstream.replace(/^https?:\/\//, "")}</Out>
        </p>
      </div>
      <div class="newest">
        {newest === undefined ? (
          <p class="quiet">nothing is published yet</p>
        ) : (
          <>
            <p>
              <a class="version" href={`${app.app}/${newest.tag}/index.html`}>
                {newest.version}
              </a>{" "}
              {app.proof === undefined ? null : <ProofMark state={app.proof} />}
            </p>
            <p>
              <Age at={newest.released ?? newest.published} now={now} />
            </p>
            <p class="quiet">{count(app.versions, "version")}</p>
          </>
        )}
      </div>
      <div class="platforms">
        {app.platforms.map(({ platform, state }) => (
          <PlatformChip platform={platform} state={state} />
        ))}
      </div>
      <div class="state">
        <StateMark state={app.state} />
        <p class="quiet">{app.stateDetail}</p>
        {app.lastSuccess === undefined ? null : (
          <p class="quiet">
            complete after the run of <Time at={app.lastSuccess} />
          </p>
        )}
      </div>
    </li>
  );
}
