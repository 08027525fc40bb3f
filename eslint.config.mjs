import tseslint from "typescript-eslint";

/** What each folder of components/ may import of the others. Every arrow points one way; nothing else may be added in passing. */
export const mayImport = {
  model: [],
  dockerfile: ["model"],
  decide: ["dockerfile", "model"],
  system: ["model"],
  engine: ["model"],
  registry: ["model", "system"],
  config: ["model"],
  discover: ["decide", "model", "registry", "system"],
  probe: ["config", "decide", "model", "registry", "system"],
  handover: ["config", "model", "system"],
  plan: ["config", "decide", "discover", "dockerfile", "handover", "model", "probe"],
  check: ["config", "decide", "model", "registry", "system"],
  attest: ["config", "decide", "model", "probe", "registry", "system"],
  declare: ["attest", "check", "config", "decide", "engine", "model"],
  report: ["attest", "config", "decide", "declare", "handover", "model", "system"],
  wiring: [
    ...["attest", "check", "config", "decide", "declare", "discover", "engine", "handover", "model", "plan", "probe"],
    ...["registry", "report", "system"],
  ],
};
const pureFolders = ["model", "dockerfile", "decide"];

const outwards = {
  group: ["**/commands/**", "**/tools/**", "**/test/**", "**/bench/**", "**/apps/**"],
  message: "components know nothing of apps, commands, tools and tests; hand it in as an argument.",
};

const pure = {
  regex: "^(@pulumi/|undici$|node:(?!path/posix$|util$|crypto$|assert$|vm$))",
  message: "model, dockerfile and decide are pure: no Pulumi, no I/O. Pass facts in, return decisions.",
};

const fences = Object.entries(mayImport).map(([folder, others]) => ({
  files: [`components/${folder}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          outwards,
          {
            regex: `^\\.\\./(?!(${others.join("|") || "$"})/)`,
            message: `components/${folder} may import ${others.join(", ") || "no other folder"} (the table in eslint.config.mjs).`,
          },
          ...(pureFolders.includes(folder) ? [pure] : []),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["node_modules/", "tools/go/", "bench/work/"] },
  {
    files: ["**/*.ts", "**/*.tsx", "**/*.mts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "max-lines": ["warn", { max: 250, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["warn", { max: 60, skipBlankLines: true, skipComments: true }],
      "no-console": "error",
      eqeqeq: "error",
      // Numbers in messages are fine; objects are not.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // `() => promise` returning nothing, and one-line handlers, read well.
      "@typescript-eslint/no-confusing-void-expression": "off",
      // An interface may ask for a promise where one implementation has nothing to wait for.
      "@typescript-eslint/require-await": "off",
      // noPropertyAccessFromIndexSignature style: record["key"] says that the key may be missing.
      "@typescript-eslint/dot-notation": "off",
      // A boundary is parsed once; after that a check that "cannot fail" is still the compiler's word against the wire.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // Spreading a string into its code points is what the spread is for there.
      "@typescript-eslint/no-misused-spread": "off",
      // A type parameter used once documents the relation at the call.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
    },
  },
  ...fences,
  {
    files: ["components/**/*.ts", "commands/**/*.{ts,tsx}", "tools/**/*.ts", "bench/**/*.ts", "apps/**/*.ts"],
    ignores: ["components/engine/checkout.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...["__dirname", "__filename"].map((name) => ({
          name,
          message: "What runs is a bundle, which lies elsewhere; use `checkout` of components/engine/checkout.",
        })),
      ],
    },
  },
  {
    files: ["apps/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [pure, { group: ["**/commands/**", "**/tools/**", "**/test/**"], message: "An app is data." }] },
      ],
    },
  },
  {
    // Commands print their results; tests build odd values on purpose.
    files: ["commands/**/*.ts", "tools/**/*.ts", "bench/**/*.ts", "test/**/*.ts"],
    rules: { "no-console": "off" },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "max-lines": "off",
      "max-lines-per-function": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-empty-function": "off",
    },
  },
);
