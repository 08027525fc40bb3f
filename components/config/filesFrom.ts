import type { AppSpecification, BuildTarget } from "../model/appSpecification";
import { isLoopback } from "../model/reference";

/** What {@link parseFilesFrom} takes, to complete "accepted is …". */
export const acceptedFilesFrom =
  "an https address without credentials, query and fragment, such as https://files.example.org/mirror (http only to this machine)";

/** Reads the address of a mirror of release files as the stack configuration writes it, without a slash at the end, or answers undefined. */
export function parseFilesFrom(value: string): string | undefined {
  const trimmed = value.replace(/\/$/, "");
  if (value.length > 2000 || !/^https?:\/\/[A-Za-z0-9.:[\]-]+(?:\/[A-Za-z0-9_~][A-Za-z0-9._~-]*)*$/.test(trimmed)) {
    return undefined;
  }
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  return url && (url.protocol === "https:" || isLoopback(url.hostname)) ? trimmed : undefined;
}

/**
 * The app with the files upstream publishes taken from a mirror of them: scheme and host of every address are replaced by
 * `base`, path and query stay. Build arguments that hold the address of a required file follow, and so do sum files and
 * the file the image is compared with.
 */
export function withFilesFrom(specification: AppSpecification, base: string): AppSpecification {
  const { files, buildArguments, identical } = specification;
  if (!files) return specification;
  const moved = (address: string): string => {
    const { pathname, search } = new URL(address);
    return `${base}${pathname}${search}`;
  };
  return {
    ...specification,
    files: (target) =>
      files(target).map((file) => ({
        ...file,
        url: moved(file.url),
        ...(file.sums && { sums: { ...file.sums, url: moved(file.sums.url) } }),
      })),
    ...(buildArguments && { buildArguments: follow(buildArguments, files, moved) }),
    ...(identical && { identical: { ...identical, file: (target: BuildTarget) => moved(identical.file(target)) } }),
  };
}

function follow(
  buildArguments: NonNullable<AppSpecification["buildArguments"]>,
  files: NonNullable<AppSpecification["files"]>,
  moved: (address: string) => string,
): NonNullable<AppSpecification["buildArguments"]> {
  return (target) => {
    const addresses = files(target)
      .flatMap(({ url, sums }) => [url, ...(sums ? [sums.url] : [])])
      // The address of a sum file usually begins with that of its file.
      .toSorted((left, right) => right.length - left.length);
    const rewrite = (value: string): string => {
      const address = addresses.find((candidate) => value.includes(candidate));
      return address === undefined ? value : value.split(address).map(rewrite).join(moved(address));
    };
    return Object.fromEntries(Object.entries(buildArguments(target)).map(([name, value]) => [name, rewrite(value)]));
  };
}
