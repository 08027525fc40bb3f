import type { AppSpecification } from "../components/model/appSpecification";
import { javaSmoke } from "./javaSmoke";

/** The console of XXL-JOB. Upstream's Dockerfile wants a program built beforehand; ours builds it. */
export const xxlJobAdmin: AppSpecification = {
  name: "xxl-job-admin",
  title: "XXL-JOB admin",
  description: "Console of the distributed task scheduler XXL-JOB",
  licenses: "GPL-3.0-only",
  url: "https://www.xuxueli.com/xxl-job",
  source: { kind: "gitTags", url: "https://github.com/xuxueli/xxl-job.git" },
  ownDockerfile: "apps/xxlJobAdmin.Dockerfile",
  official: { reference: ({ version }) => `docker.io/xuxueli/xxl-job-admin:${version}` },
  smoke: javaSmoke,
};
