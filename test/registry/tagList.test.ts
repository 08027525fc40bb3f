import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listTags } from "../../components/registry/tagList";
import type { TransportAnswer } from "../../components/registry/transport";

function answer(content: unknown, link?: string, status = 200): TransportAnswer {
  const body = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
  return {
    status,
    direct: true,
    origin: "https://r",
    address: "https://r/v2/",
    headers: {},
    body,
    header: (name) => (name === "link" ? link : undefined),
  };
}

/** Answers by path; anything else is a mistake of the client. */
function pages(table: Readonly<Record<string, TransportAnswer>>) {
  const asked: string[] = [];
  const get = async (path: string): Promise<TransportAnswer> => {
    asked.push(path);
    const found = table[path];
    if (!found) throw new Error(`not expected: ${path}`);
    return found;
  };
  return { asked, get };
}

const first = "tags/list?n=1000";

describe("listTags", () => {
  it.each([
    ["whole, in brackets", '<https://r/v2/o/a/tags/list?last=b&n=2>; rel="next"', "last=b&n=2"],
    ["relative", '</v2/o/a/tags/list?n=2&last=b>; rel="next"', "n=2&last=b"],
    ["a query alone", "<?n=2&last=b>; rel=next", "n=2&last=b"],
    ["without brackets", '/v2/o/a/tags/list?last=b&n=2; rel="next"', "last=b&n=2"],
    ["Quay's token", '</v2/o/a/tags/list?n=50&next_page=gAAAA%3D>; rel="next"', "n=50&next_page=gAAAA%3D"],
    ["after a previous one", '</v2/o/a/tags/list?n=2>; rel="prev", </v2/o/a/tags/list?last=b>; rel="next"', "last=b"],
    ["with more about it", '</v2/o/a/tags/list?last=b>; title="x"; rel="next"; type="json"', "last=b"],
  ])("follows a link to the next page: %s", async (_, link, query) => {
    const { asked, get } = pages({
      [first]: answer({ tags: ["a", "b"] }, link),
      [`tags/list?${query}`]: answer({ tags: ["b", "c"] }),
    });
    expect(await listTags("r/o/a", get)).toEqual(["a", "b", "c"]);
    expect(asked).toHaveLength(2);
  });

  it("follows a token in the body", async () => {
    const { get } = pages({
      [first]: answer({ tags: ["a"], next_page: "x=/+" }),
      "tags/list?n=1000&next_page=x%3D%2F%2B": answer({ tags: ["b"], next_page: null }),
    });
    expect(await listTags("r/o/a", get)).toEqual(["a", "b"]);
  });

  it("asks on after a full page that names no next one, and stops where nothing new comes", async () => {
    const many = Array.from({ length: 1000 }, (_, index) => `1.0.${index}`);
    const { asked, get } = pages({
      [first]: answer({ tags: many }),
      "tags/list?n=1000&last=1.0.999": answer({ tags: many }),
    });
    expect(await listTags("r/o/a", get)).toHaveLength(1000);
    expect(asked).toHaveLength(2);
  });

  it("takes null, as some write an empty list, for none", async () => {
    expect(await listTags("r/o/a", pages({ [first]: answer({ name: "o/a", tags: null }) }).get)).toEqual([]);
  });

  it.each([
    ["a page that is none", answer("<html>"), /not a list of tags/],
    ["tags that are none", answer({ tags: [1] }), /not a list of tags/],
    ["half a list", answer({ tags: ["a"] }, "<nowhere>; rel=next"), /next page is said to be "nowhere"/],
    ["a list in a circle", answer({ tags: ["a"] }, "<?n=1000>; rel=next"), /comes back to "n=1000"/],
    ["a refusal", answer({ errors: [{ code: "DENIED" }] }, undefined, 403), /status 403, saying "DENIED/],
    ["no such repository", answer({ errors: [{ code: "NAME_UNKNOWN" }] }, undefined, 404), /NAME_UNKNOWN/],
  ])("decides nothing on %s", async (_, page, message) => {
    await expect(listTags("r/o/a", pages({ [first]: page }).get)).rejects.toThrow(message);
  });

  it("fails on a list without an end", async () => {
    let page = 0;
    const endless = async () => answer({ tags: [`t${page}`] }, `<?p=${(page += 1)}>; rel="next"`);
    await expect(listTags("r/o/a", endless)).rejects.toThrow(/more than 1000 pages/);
  });

  it("gives every tag once, however a registry cuts the list", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,6}$/), { maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        async (tags, size) => {
          const get = async (path: string) => {
            const from = Number(new URLSearchParams(path.slice(path.indexOf("?"))).get("from") ?? 0);
            const more = from + size < tags.length;
            return answer({ tags: tags.slice(from, from + size) }, more ? `<?from=${from + size}>; rel="next"` : "");
          };
          expect(await listTags("r/o/a", get)).toEqual(tags);
        },
      ),
    );
  });
});
