import tseslint from "typescript-eslint";

const outwards = {
  group: ["**/tools/**", "**/test/**", "**/bench/**", "**/apps/**"],
  message: "components know nothing of the apps, the tools and the tests; hand it in as an argument.",
};

const pure = {
  regex: "^(@pulumi/|undici$|node:(?!path/posix$|util$|crypto$|assert$))",
  message: "components/plan is pure: no Pulumi, no I/O. Pass facts in, return decisions.",
};

const edges = {
  regex: "^\\.\\./(?!plan/)",
  message: "components/plan imports nothing else of the project; imports go towards it.",
};

export default tseslint.config(
  { ignores: ["node_modules/", "tools/go/", "bench/work/"] },
  {
    files: ["**/*.ts", "**/*.mts"],
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
  {
    files: ["components/**/*.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: [outwards] }] },
  },
  {
    files: ["components/plan/**/*.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: [outwards, pure, edges] }] },
  },
  {
    files: ["apps/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [pure, { group: ["**/tools/**", "**/test/**"], message: "An app is data." }] },
      ],
    },
  },
  {
    // Commands print their results; tests build odd values on purpose.
    files: ["tools/**/*.ts", "bench/**/*.ts", "test/**/*.ts"],
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
