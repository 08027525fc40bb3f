import type { AppSpecification } from "../components/model/appSpecification";
import { javaSmoke } from "./javaSmoke";

const packageUrl = ({ version }: { readonly version: string }): string =>
  `https://archive.apache.org/dist/kyuubi/kyuubi-${version}/apache-kyuubi-${version}-bin.tgz`;

/** A gateway for SQL, without Spark, Flink or Trino. Upstream's Dockerfile is for the inside of its package; ours unpacks that. */
export const kyuubi: AppSpecification = {
  name: "kyuubi",
  title: "Apache Kyuubi",
  description: "Distributed, multi-tenant gateway for serverless SQL on lakehouses",
  licenses: "Apache-2.0",
  url: "https://kyuubi.apache.org",
  source: { kind: "gitTags", url: "https://github.com/apache/kyuubi.git" },
  ownDockerfile: "apps/kyuubi.Dockerfile",
  buildArguments: (target) => ({ PACKAGE_URL: packageUrl(target) }),
  files: (target) => [
    {
      url: packageUrl(target),
      sums: { url: `${packageUrl(target)}.sha512`, algorithm: "sha512" },
      checksumArgument: "PACKAGE_CHECKSUM",
    },
  ],
  smoke: javaSmoke,
};
