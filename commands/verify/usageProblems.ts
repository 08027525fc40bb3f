import { existsSync } from "node:fs";
import { z } from "zod";
import { textRule } from "../../components/config/attestConfig";
import { check } from "../../components/config/problems";
import { parseReference } from "../../components/model/reference";
import { reasonOf } from "../../components/model/reasonOf";

/** What was given to `npm run verify`, as far as it can be wrong. */
export interface VerifyUsage {
  readonly reference: string;
  readonly key?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly trustedRoot?: string;
  readonly repository?: string;
  readonly commit?: string;
}

const reference = z.string().superRefine((value, context) => {
  const mistake = referenceMistake(value);
  if (mistake !== undefined) context.addIssue({ code: "custom", message: mistake });
});

const pattern = z.string().superRefine((value, context) => {
  if (textRule(value) !== undefined) return;
  const what = value.startsWith("^") ? "it is not that" : "it would match anywhere in a name";
  const accepted = "a URL, or a regular expression that begins with ^, without alternatives outside of brackets";
  context.addIssue({ code: "custom", message: `${what}; accepted is ${accepted}` });
});

/**
 * Every mistake in it, a line each: where, what, and what is accepted. None when all can be used.
 * @param exists whether there is such a file.
 */
export function usageProblems(usage: VerifyUsage, exists: (file: string) => boolean = existsSync): readonly string[] {
  const isKey = (key: string) => /^[a-z0-9]+:\/\/./.test(key) || exists(key);
  const options = z
    .object({
      reference,
      "--key": z
        .string()
        .refine(isKey, "it is no file here; accepted is a file, env://NAME, or the URI of a key management service")
        .optional(),
      "--identity": pattern.optional(),
      "--issuer": pattern.optional(),
      "--trusted-root": z
        .string()
        .refine(exists, "it is no file here; accepted is a file of `cosign trusted-root create`")
        .optional(),
      "--repository": z
        .string()
        .regex(/^https?:\/\/[^\s/]+\/\S+$/, "it is no URL of a repository; accepted is https://HOST/PATH")
        .optional(),
      "--commit": z
        .string()
        .regex(/^[0-9a-f]{40}$/, "it is no commit; accepted is 40 lower-case hex digits")
        .optional(),
    })
    .refine((given) => given["--key"] !== undefined || given["--identity"] !== undefined, {
      path: ["--key"],
      error: "whose signatures to accept? Accepted is --key with a public key, or --identity with a regular expression",
      when: () => true,
    });
  const result = check(options, {
    reference: usage.reference,
    "--key": usage.key,
    "--identity": usage.identity,
    "--issuer": usage.issuer,
    "--trusted-root": usage.trustedRoot,
    "--repository": usage.repository,
    "--commit": usage.commit,
  });
  return result.success ? [] : result.problems;
}

function referenceMistake(value: string): string | undefined {
  try {
    const { tag, digest } = parseReference(value);
    if (tag !== undefined || digest !== undefined) return undefined;
    return "it names no image of a repository; accepted is a tag or a digest behind it";
  } catch (error) {
    return reasonOf(error);
  }
}
