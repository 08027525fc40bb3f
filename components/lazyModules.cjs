"use strict";
// The first import of the program. The Pulumi library loads npm's own dependency resolver, some three hundred files, for turning
// functions into text; this program never does that, so the resolver is loaded when somebody first asks for it.
const Module = require("node:module");

function loadLazily(name, exported, importer) {
  const resolve = Module.createRequire(require.resolve(importer)).resolve;
  const file = resolve(name);
  if (require.cache[file]) return;
  const placeholder = new Module(file, null);
  placeholder.filename = file;
  placeholder.loaded = true;
  placeholder.exports = {
    __esModule: true,
    get [exported]() {
      if (require.cache[file] === placeholder) delete require.cache[file];
      return require(file)[exported];
    },
  };
  require.cache[file] = placeholder;
}

try {
  loadLazily("@npmcli/arborist", "Arborist", "@pulumi/pulumi");
} catch {
  // Another version of the library may do without it.
}
