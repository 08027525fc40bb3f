import { readDockerfileImages } from "../../components/dockerfile/images";
import { reasonOf } from "../../components/model/reasonOf";
import { formatReference, parseReference } from "../../components/model/reference";
import { askBuildkit, type DockerfileQuestion } from "./askBuildkit";

/** How Dockerfiles were read by both. */
export interface Comparison {
  /** Both name the same images. */
  readonly same: number;
  /** BuildKit builds no such thing, so it does not matter what is read in it. */
  readonly refused: number;
  /** Beyond a bound that only this reader has, a stage by the number BuildKit gives to images between the lines, or a host with a `_`. */
  readonly bounded: number;
  /** What each says, for every Dockerfile of which they say different things. */
  readonly differences: readonly {
    readonly text: string;
    readonly buildkit: string;
    readonly ours: string;
  }[];
}

const built = {
  buildArguments: { TAG: "given" },
  targetPlatform: "linux/arm64",
  buildPlatform: "linux/amd64",
} as const;
/** So many are asked about at once. */
const batch = 1000;

/**
 * Compares what this project reads in Dockerfiles with what BuildKit does, image for image and platform for platform.
 * @param program what `buildPulledImages` made.
 */
export async function compareDockerfiles(program: string, texts: readonly string[]): Promise<Comparison> {
  let [same, refused, bounded] = [0, 0, 0];
  const differences: Comparison["differences"][number][] = [];
  for (let start = 0; start < texts.length; start += batch) {
    const questions = texts.slice(start, start + batch).map((text): DockerfileQuestion => ({ text, ...built }));
    const answers = await askBuildkit(program, questions);
    for (const [index, question] of questions.entries()) {
      const answer = answers[index];
      if (!answer || "error" in answer) {
        refused++;
        continue;
      }
      const buildkit = answer.images.join("\n");
      const ours = read(question);
      if (ours === buildkit) same++;
      else if (/more than \d+ (?:stages|images|steps)|there is no stage number|is not an image reference/.test(ours))
        bounded++;
      else differences.push({ text: question.text, buildkit, ours });
    }
  }
  return { same, refused, bounded, differences };
}

function read(question: DockerfileQuestion): string {
  const { targetPlatform, buildPlatform } = question;
  try {
    const { references } = readDockerfileImages({ path: "Dockerfile", ...question });
    const images = references.map(({ reference, platform }) => {
      const named = platform === "target" ? targetPlatform : platform === "build" ? buildPlatform : platform;
      return `${inFull(reference)} ${named}`;
    });
    return [...new Set(images)].toSorted().join("\n");
  } catch (error) {
    return reasonOf(error);
  }
}

/** As BuildKit asks for it: with a tag, where there is neither that nor a digest. */
function inFull(text: string): string {
  const reference = parseReference(text);
  const isBare = reference.tag === undefined && reference.digest === undefined;
  return formatReference(isBare ? { ...reference, tag: "latest" } : reference);
}
