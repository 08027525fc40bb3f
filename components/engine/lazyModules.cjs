"use strict";
const Module = require("node:module");

/** Who loads what at once, and which of its exports are used. */
const unused = [
  ["@pulumi/pulumi", "@npmcli/arborist", ["Arborist"]],
  ["@pulumi/pulumi/runtime/closure/createClosure", "./parseFunction", ["parseFunction", "isNativeFunction"]],
];

/**
 * For turning functions into text the Pulumi library loads npm's own dependency resolver, some three hundred files, and the
 * TypeScript compiler, nine megabytes. This program never does that, so they are loaded when somebody first asks for them.
 */
exports.leaveUnloaded = () => {
  for (const [importer, name, names] of unused) {
    try {
      loadLazily(importer, name, names);
    } catch {
      // Another version of the library may do without it.
    }
  }
};

/** Puts a module in the place of `name`, as `importer` calls it, that is loaded when one of its exports is first used. */
function loadLazily(importer, name, names) {
  const resolve = Module.createRequire(require.resolve(importer)).resolve;
  const file = resolve(name);
  if (require.cache[file]) return;
  const placeholder = new Module(file, null);
  placeholder.filename = file;
  placeholder.loaded = true;
  const load = (exported) => {
    if (require.cache[file] === placeholder) delete require.cache[file];
    return require(file)[exported];
  };
  const exports = names.map((exported) => [exported, { enumerable: true, get: () => load(exported) }]);
  placeholder.exports = Object.defineProperties({ __esModule: true }, Object.fromEntries(exports));
  require.cache[file] = placeholder;
}
