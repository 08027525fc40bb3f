"use strict";
// The actions that install a program: it is on PATH already, in the version asked for, or the step fails.
const { execFileSync } = require("node:child_process");
const { fail, input } = require("./inputs.cjs");

const programs = {
  "actions/setup-node": () => [
    (input("node-version-file") || input("node-version")) && process.versions.node,
    process.execPath,
    "--version",
  ],
  "pulumi/actions": () => [input("pulumi-version"), "pulumi", "version"],
  "sigstore/cosign-installer": () => [input("cosign-release"), "cosign", "version"],
  "anchore/sbom-action/download-syft": () => [input("syft-version"), "syft", "version"],
  "docker/setup-buildx-action": () => [input("name"), "buildx", "inspect", input("name")],
};

const action = process.env.STAND_IN_ACTION;
const [wanted, program, ...question] = programs[action]();
if (!wanted) fail(`${action} is not told what to install`);
const said = execFileSync(program, question, { encoding: "utf8" });
if (!said.includes(wanted.replace(/^v/, ""))) fail(`${program} is not ${wanted}: ${said}`);
console.log(`${action}: ${wanted}`);
