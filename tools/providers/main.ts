import { commandStandIn } from "./command";
import { githubStandIn } from "./github";
import { serve } from "./serve";

/** Entry point of the launchers `pulumi-resource-<package>`: the package's name, its version, then the engine's arguments. */
async function main([name, version = "0.0.0", ...args]: readonly string[]): Promise<void> {
  switch (name) {
    case "command":
      return serve(commandStandIn(version), args);
    case "github":
      return serve(githubStandIn(version), args);
    default:
      throw new Error(`no stand-in for the package ${JSON.stringify(name)}; there is one for "command" and "github"`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
