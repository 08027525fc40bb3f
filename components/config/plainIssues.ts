import type { z } from "zod";
import type { ConfigPath } from "./problemLine";

const words: Readonly<Record<string, string>> = {
  object: "a map",
  array: "a list",
  boolean: "true or false",
  string: "text",
};

/**
 * The issues of a zod schema in the words of the configuration, one for each place at fault. Messages of our own schemas
 * are such words already; those zod makes up are put into them.
 */
export function plainIssues(error: z.ZodError): readonly { readonly path: ConfigPath; readonly message: string }[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path as ConfigPath;
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({ path: [...path, key], message: "there is no such key" }));
      case "invalid_type":
        return [{ path, message: `accepted is ${words[issue.expected] ?? issue.expected}` }];
      case "invalid_union": {
        const options = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
        return [{ path, message: options.length > 0 ? `accepted is ${options.join(", ")}` : issue.message }];
      }
      default:
        return [{ path, message: issue.message }];
    }
  });
}
