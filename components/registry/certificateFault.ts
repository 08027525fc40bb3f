/** Whether an error of Node's TLS says that the far end's certificate is not trusted, by OpenSSL's and Node's codes. */
export function isCertificateFault(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /CERT|SELF_SIGNED|^UNABLE_TO_/.test(code);
}
