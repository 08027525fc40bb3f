/** A command for the `command` provider, which runs the interpreter's words with `command` as the last one. No shell is involved. */
export interface GitListCommand {
  readonly interpreter: string[];
  readonly command: string;
  readonly environment: Record<string, string>;
  readonly logging: "none";
}

/**
 * The command that lists branches and tags of a remote repository.
 *
 * Only the URL's own scheme is allowed, so that a redirect leads neither to plain HTTP nor to another transport (git-config, `protocol.allow`).
 * Git never asks for credentials, and gives up when less than 1 kB/s arrives for 30 seconds.
 * Nothing is logged: the console would otherwise show upstream's tag names as they are.
 * @param url a URL that `resolveSource` accepted.
 */
export function gitListCommand(url: string): GitListCommand {
  const scheme = url.startsWith("http:") ? "http" : "https";
  const settings = [
    "protocol.allow=never",
    `protocol.${scheme}.allow=always`,
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
  ];
  return {
    interpreter: [
      "git",
      ...settings.flatMap((setting) => ["-c", setting]),
      "ls-remote",
      "--quiet",
      "--heads",
      "--tags",
      "--",
    ],
    command: url,
    environment: { GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "" },
    logging: "none",
  };
}
