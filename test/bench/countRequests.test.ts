import { expect, it } from "vitest";
import { countRequests } from "../../bench/support/countRequests";

it("requests are counted by what they ask for, the most frequent first", () => {
  const blob = "/v2/a/blobs/sha256:0";
  const log = [
    { method: "GET", path: "/v2/" },
    { method: "HEAD", path: blob },
    { method: "HEAD", path: blob },
    { method: "HEAD", path: blob },
    { method: "POST", path: "/v2/a/blobs/uploads/" },
    { method: "PUT", path: "/v2/a/blobs/uploads/1?digest=sha256:0" },
    { method: "PUT", path: "/v2/a/manifests/1.0.0" },
    { method: "GET", path: "/v2/a/manifests/1.0.0" },
    { method: "GET", path: blob },
    { method: "HEAD", path: "/v2/a/manifests/1.0.0" },
  ];
  expect(countRequests(log)).toBe(
    "10: 3 looks for blobs, 2 uploads of blobs, 1 others, 1 writes of manifests, 1 reads of manifests, 1 reads of blobs, 1 looks for manifests",
  );
});
