import type { AppSpecification } from "../components/model/appSpecification";

/** A tile server for OpenStreetMap data. */
export const openstreetmapTileServer: AppSpecification = {
  name: "openstreetmap-tile-server",
  title: "OpenStreetMap tile server",
  description: "Tile server for OpenStreetMap data in one container",
  licenses: "Apache-2.0",
  url: "https://github.com/Overv/openstreetmap-tile-server",
  source: { kind: "gitTags", url: "https://github.com/Overv/openstreetmap-tile-server.git" },
  official: { reference: ({ version }) => `docker.io/overv/openstreetmap-tile-server:${version}` },
  smoke: { command: ["osm2pgsql", "--version"], expect: () => /\bosm2pgsql version \d/ },
};
