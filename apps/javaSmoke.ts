import type { AppSpecification } from "../components/model/appSpecification";
import { literally } from "../components/model/quoting";

/** A smoke command for programs in Java that cannot start without their database: the virtual machine runs, and is the platform's own. */
export const javaSmoke: NonNullable<AppSpecification["smoke"]> = {
  command: ["java", "-XshowSettings:properties", "-version"],
  expect: ({ architecture }) =>
    new RegExp(`^\\s*os\\.arch = ${literally(architecture === "arm64" ? "aarch64" : architecture)}$`, "m"),
};
