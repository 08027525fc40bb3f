"use strict";
// Does work on what upstream wrote, apart from the program that asks for it (../system/isolation.ts), and ends with that one.
const { load } = require("./typescript.cjs");

const loaded = new Map();

process.on("disconnect", () => process.exit());
process.on("message", async ({ job: [file, name], input }) => {
  try {
    if (!loaded.has(file)) loaded.set(file, load(`${__dirname}/../${file}`));
    process.send({ value: name === undefined ? undefined : await loaded.get(file)[name](input) });
  } catch (error) {
    process.send({ problem: error instanceof Error ? error.message : String(error) });
  }
});
