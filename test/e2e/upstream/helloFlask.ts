import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { Sandbox } from "../../../tools/sandbox/sandbox";
import { debianLayer } from "./debianLayer";
import { layerOf } from "./layer";
import { pushImage } from "./pushImage";

const run = promisify(execFile);

/** Where Debian keeps the certificates programs trust. */
const certificates = "etc/ssl/certs/ca-certificates.crt";

const dockerfile = `FROM python:3.8
WORKDIR /app
COPY requirements.txt ./
RUN pip install -r requirements.txt
COPY hello_flask.py ./
EXPOSE 8080
CMD gunicorn -b 0.0.0.0:8080 hello_flask:app
`;

const application = `from flask import Flask

app = Flask(__name__)


@app.route("/")
def index():
    return "Hello world"
`;

/**
 * Writes the git repository of a stand-in for hello-flask, a branch without tags, and the Python image it is built on:
 * Debian's Python for three architectures, with the pip settings of this machine. @returns the repository's URL and commit.
 */
export async function writeHelloFlask(sandbox: Sandbox): Promise<{ readonly url: string; readonly commit: string }> {
  await pushPython(sandbox);
  const files = { Dockerfile: dockerfile, "requirements.txt": "flask\ngunicorn\n", "hello_flask.py": application };
  const { url, commits } = await sandbox.createGitRepository("larsks/hello-flask", [{ files, branch: "master" }]);
  return { url, commit: commits[0] ?? "" };
}

async function pushPython(sandbox: Sandbox): Promise<void> {
  const own = await layerOf([
    { name: "usr/bin/python", type: "symlink", linkname: "python3", mode: 0o777 },
    { name: "etc/passwd", body: "root:x:0:0::/root:/bin/sh\n" },
    { name: "etc/group", body: "root:x:0:\n" },
    { name: "tmp", type: "directory", mode: 0o1777 },
    { name: "root", type: "directory", mode: 0o700 },
    { name: "etc/pip.conf", body: await pipSettings() },
    { name: certificates, body: await trustedCertificates() },
  ]);
  const platforms = ["linux/amd64", "linux/arm64", "linux/ppc64le"] as const;
  const images = platforms.map(async (platform) => ({
    platform,
    layers: [await debianLayer(platform, ["python3", "python3-pip", "dash", "coreutils"]), own],
    config: { Env: ["PATH=/usr/local/bin:/usr/bin:/bin"], Cmd: ["python3"] },
  }));
  await pushImage(`${sandbox.urls.registry}/docker.io/library/python`, "3.8", await Promise.all(images));
}

/** The package index this machine's pip uses, where it is not the usual one; Debian's pip must be told that it may install. */
async function pipSettings(): Promise<string> {
  const { stdout } = await run("pip", ["config", "list"]).catch(() => ({ stdout: "" }));
  const passedOn = [...stdout.matchAll(/^[^.\n]*\.((?:extra-)?index-url|trusted-host|timeout)='(.*)'$/gm)];
  const lines = passedOn.map(([, name, value]) => `${name} = ${value}`);
  const always = [`cert = /${certificates}`, "break-system-packages = true", "disable-pip-version-check = true"];
  return `${["[global]", ...always, "retries = 10", "root-user-action = ignore", ...lines].join("\n")}\n`;
}

async function trustedCertificates(): Promise<Buffer> {
  const { PIP_CERT, SSL_CERT_FILE } = process.env;
  return readFile(PIP_CERT ?? SSL_CERT_FILE ?? `/${certificates}`);
}
