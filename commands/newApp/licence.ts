import type { Tree } from "./outside";

/** How the texts of common licences begin, or what only they say; the first that fits counts. */
const texts: readonly (readonly [RegExp, string])[] = [
  [/GNU AFFERO GENERAL PUBLIC LICENSE\s+Version 3/i, "AGPL-3.0-only"],
  [/GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3/i, "LGPL-3.0-only"],
  [/GNU GENERAL PUBLIC LICENSE\s+Version 3/i, "GPL-3.0-only"],
  [/GNU GENERAL PUBLIC LICENSE\s+Version 2/i, "GPL-2.0-only"],
  [/Apache License\s+Version 2\.0/i, "Apache-2.0"],
  [/Mozilla Public License,? Version 2\.0/i, "MPL-2.0"],
  [/Business Source License 1\.1/i, "BUSL-1.1"],
  [/Boost Software License - Version 1\.0/i, "BSL-1.0"],
  [/This is free and unencumbered software/i, "Unlicense"],
  [/Permission is hereby granted, free of charge/i, "MIT"],
  [/Permission to use, copy, modify, and\/or distribute/i, "ISC"],
  [/Neither the name of/i, "BSD-3-Clause"],
  [/Redistribution and use in source and binary forms/i, "BSD-2-Clause"],
];

/** The SPDX identifier of a tree's licence, from the beginning of its text; undefined: it has none that is known here. */
export async function licenceOf(tree: Tree): Promise<string | undefined> {
  const path = tree.paths.find((one) => /^(?:licen[cs]e|copying)(?:\.(?:md|txt|rst))?$/i.test(one));
  const text = path === undefined ? undefined : (await tree.text(path))?.slice(0, 3000);
  return text === undefined ? undefined : texts.find(([pattern]) => pattern.test(text))?.[1];
}
