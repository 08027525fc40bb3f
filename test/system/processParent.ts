import { runProcess } from "../../components/system/process";

/** A process that runs another one, tells its number and waits for it. */
void runProcess("sh", ["-c", "sleep 600 & echo $!; wait"], {
  limitMs: Infinity,
  onLine: (line) => process.stdout.write(`${line}\n`),
});
