"use strict";
// What this program changes about Pulumi's library. README.md says what each is for, what it buys and when it can go.
const { leaveUnloaded } = require("./lazyModules.cjs");

/** Called once, before anything else of the program is loaded. With MIRROR_DEBUG set the library says and records all it can. */
exports.prepareEngine = (environment = process.env) => {
  leaveUnloaded();
  endWithReader();
  if (environment["MIRROR_DEBUG"]) return;
  const pulumi = require("@pulumi/pulumi");
  // Three messages for each resource, sent one after the other, whether anybody asked for them or not.
  pulumi.log.debug = () => Promise.resolve();
  // Where in the program each resource was declared: a third of the state, and all come from the same few lines.
  pulumi.Resource.callsites = () => [];
};

/** When the CLI is killed nobody reads the output any more. Pulumi would log the failed write, and the failed log, without end. */
function endWithReader() {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(1);
    });
}
