/** A target platform in its normal written form, `os/architecture` or `os/architecture/variant`: `linux/arm64`, `linux/arm/v7`. */
export type Platform = `${string}/${string}`;

/** What is known for each of some platforms. */
export type PerPlatform<T> = Readonly<Record<Platform, T>>;

/** The pairs of what is known for platforms, which `Object.entries` gives the keys of as mere strings; none of undefined. */
export function platformEntries<T>(known: PerPlatform<T> | undefined): readonly (readonly [Platform, T])[] {
  return Object.entries(known ?? {}) as [Platform, T][];
}

/** The platforms something is known for. */
export function platformsIn(known: PerPlatform<unknown> | undefined): readonly Platform[] {
  return Object.keys(known ?? {}) as Platform[];
}

/** The parts of a platform as OCI image configurations and index descriptors write them. */
export interface PlatformParts {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** ELF identity of an architecture: `e_machine`, class (32 or 64 bits) and byte order. Source: the System V ABI's registered machine numbers. */
export interface ElfIdentity {
  readonly machine: number;
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
}

interface Architecture {
  readonly elf: ElfIdentity;
  /** What `uname -m` and Python's `platform.machine()` answer on it. */
  readonly uname: string;
  /** The variant that is left out of the written form because it is the default. */
  readonly defaultVariant?: string;
  readonly variants?: readonly string[];
}

const architectures: Readonly<Record<string, Architecture>> = {
  amd64: {
    elf: { machine: 62, bits: 64, littleEndian: true },
    uname: "x86_64",
    defaultVariant: "v1",
    variants: ["v2", "v3", "v4"],
  },
  arm64: { elf: { machine: 183, bits: 64, littleEndian: true }, uname: "aarch64", defaultVariant: "v8" },
  arm: { elf: { machine: 40, bits: 32, littleEndian: true }, uname: "armv7l", variants: ["v5", "v6", "v7"] },
  "386": { elf: { machine: 3, bits: 32, littleEndian: true }, uname: "i686" },
  ppc64le: { elf: { machine: 21, bits: 64, littleEndian: true }, uname: "ppc64le" },
  s390x: { elf: { machine: 22, bits: 64, littleEndian: false }, uname: "s390x" },
  riscv64: { elf: { machine: 243, bits: 64, littleEndian: true }, uname: "riscv64" },
  loong64: { elf: { machine: 258, bits: 64, littleEndian: true }, uname: "loongarch64" },
};

/** Every platform the mirror can build and check, for messages. `arm` needs a variant; `amd64` may have one. */
export const acceptedPlatforms: readonly string[] = Object.entries(architectures).flatMap(([name, { variants }]) =>
  name === "arm" ? (variants ?? []).map((variant) => `linux/arm/${variant}`) : [`linux/${name}`],
);

/** Every way to write one of them that {@link parsePlatform} reads. */
export const platformSpellings: readonly string[] = Object.entries(architectures).flatMap(
  ([name, { variants = [], defaultVariant = [] }]) => [
    ...(name === "arm" ? [] : [`linux/${name}`]),
    ...[...variants].concat(defaultVariant).map((variant) => `linux/${name}/${variant}`),
  ],
);

/**
 * Reads a platform and brings it into its normal form (`linux/arm64/v8` becomes `linux/arm64`).
 * @throws Error naming the value and what is accepted, when the platform is malformed or not known.
 */
export function parsePlatform(value: string): Platform {
  const [os, name, variant, ...rest] = value.split("/");
  const architecture = name !== undefined && Object.hasOwn(architectures, name) ? architectures[name] : undefined;
  const known = os === "linux" && architecture !== undefined && rest.length === 0;
  if (known && (variant === undefined ? name !== "arm" : variant === architecture.defaultVariant))
    return `linux/${name}`;
  if (known && variant !== undefined && architecture.variants?.includes(variant)) return `linux/${name}/${variant}`;
  throw new Error(`${JSON.stringify(value)} is not a known platform; accepted are ${acceptedPlatforms.join(", ")}`);
}

/** Takes a platform apart. */
export function platformParts(platform: Platform): PlatformParts {
  const [os = "", architecture = "", variant] = platform.split("/");
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/**
 * Writes a platform out of a descriptor's or image configuration's fields, in the normal form of containerd, by which BuildKit and
 * whoever pulls compare them; unknown ones are written as they are. Source: containerd's `platforms.Normalize`.
 */
export function formatPlatform(parts: PlatformParts): Platform {
  const os = parts.os.toLowerCase();
  const [architecture, implied] = otherNames.get(parts.architecture.toLowerCase()) ?? [
    parts.architecture.toLowerCase(),
    undefined,
  ];
  const given = (implied ?? parts.variant ?? "").toLowerCase();
  const variant = /^arm(64)?$/.test(architecture) && /^[5-8]$/.test(given) ? `v${given}` : given;
  const shown = defaultVariant(architecture) === variant ? "" : variant || (architecture === "arm" ? "v7" : "");
  return `${os === "macos" ? "darwin" : os}/${architecture}${shown && `/${shown}`}`;
}

function defaultVariant(architecture: string): string | undefined {
  return Object.hasOwn(architectures, architecture) ? architectures[architecture]?.defaultVariant : undefined;
}

/** Names of architectures that mean another, some with a variant. */
const otherNames: ReadonlyMap<string, readonly [architecture: string, variant?: string]> = new Map([
  ["x86_64", ["amd64"]],
  ["x86-64", ["amd64"]],
  ["aarch64", ["arm64"]],
  ["i386", ["386", ""]],
  ["armhf", ["arm", "v7"]],
  ["armel", ["arm", "v6"]],
]);

/**
 * Reads a platform as people write it for BuildKit: `linux/arm`, `amd64`, or `linux` alone, which is `build`, the platform of the
 * machine that builds. Undefined when it is none. Source: containerd's `platforms.Parse`.
 */
export function readSpelling(text: string): Platform | "build" | undefined {
  if (!/^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+){0,2}$/.test(text)) return undefined;
  const [first = "", architecture, variant] = text.split("/");
  if (architecture !== undefined)
    return formatPlatform({ os: first, architecture, ...(variant !== undefined && { variant }) });
  if (first.toLowerCase() === "linux") return "build";
  const platform = formatPlatform({ os: "linux", architecture: first });
  return Object.hasOwn(architectures, platformParts(platform).architecture) ? platform : undefined;
}

/** The ELF identity every executable of an image for this platform must have. */
export function elfIdentity(platform: Platform): ElfIdentity {
  return known(platform).elf;
}

/** The machine name programs on this platform report (`uname -m`): `x86_64`, `aarch64`, `ppc64le`, … */
export function unameMachine(platform: Platform): string {
  return known(platform).uname;
}

/** A platform as part of a resource name or file name: `linux-arm64`, `linux-arm-v7`. */
export function platformSlug(platform: Platform): string {
  return platform.replaceAll("/", "-");
}

/** The platform of a slug. @throws Error when it is none of those that are known. */
export function slugPlatform(slug: string): Platform {
  return parsePlatform(slug.replaceAll("-", "/"));
}

function known(platform: Platform): Architecture {
  const architecture = architectures[platformParts(platform).architecture];
  if (!architecture) throw new Error(`no architecture data for platform ${JSON.stringify(platform)}`);
  return architecture;
}
