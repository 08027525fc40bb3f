import { describe, expect, it } from "vitest";
import { alternate } from "../../bench/support/alternate";

describe("contestants taking turns", () => {
  it("run once a round, every other round in reverse order", async () => {
    const order: string[] = [];
    const contestant = (name: string, took: number) => async () => {
      order.push(name);
      return took;
    };
    const samples = await alternate({ ours: contestant("ours", 1), other: contestant("other", 2) }, 3);
    expect(order).toEqual(["ours", "other", "other", "ours", "ours", "other"]);
    expect(samples).toEqual({ ours: [1, 1, 1], other: [2, 2, 2] });
  });

  it("never run at the same time", async () => {
    let running = 0;
    const contestant = async (): Promise<number> => {
      running += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
      const together = running;
      running -= 1;
      return together;
    };
    expect(await alternate({ a: contestant, b: contestant, c: contestant }, 2)).toEqual({
      a: [1, 1],
      b: [1, 1],
      c: [1, 1],
    });
  });

  it("stop when one of them fails", async () => {
    const failing = { fine: async () => 1, broken: () => Promise.reject(new Error("the registry is gone")) };
    await expect(alternate(failing, 2)).rejects.toThrow("the registry is gone");
  });
});
