import fc from "fast-check";

/** Pieces that are dangerous somewhere: shells' terminals, Markdown, HTML, workflow commands, colour markup. */
const pieces = [
  "|", "`", "``", "```", "<", ">", "<img src=x onerror=alert(1)>", "</td>", "<!--", "@octocat", "@sha256:", "#1", "[a](javascript:b)",
  "![a](http://evil)", "https://evil.org", "\\", "\\|", "\\`", "\n", "\r\n", "\r", "\u2028", "\u0085", "\0", "\x1b[2J", "\x07",
  "\u202e", "\u200b", "\u0301", "\ufeff", "\ud800", "::", ":", "::error::x", "::add-mask::", "##[error]", "##[", "##", "[",
  "<{%reset%}>", "<{", " ", "  ", "\t", "- ", "# ", "1.2.3", "é", "—", "😀", "１",
]; // prettier-ignore

/** Text no one would want to print as it is. */
export const hostileText = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary" }),
);
