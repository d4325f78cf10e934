/** Certificates for one run of tests, made by openssl: an authority, who it has signed, and one that nobody knows. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** All in PEM. */
export interface Certificates {
  readonly authority: string;
  readonly broker: Certificate;
  readonly client: Certificate;
  /** Signed by itself. */
  readonly stranger: Certificate;
}

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/**
 * @param directory where keys may lie
 * @returns null where there is no openssl
 */
export async function madeCertificates(directory: string): Promise<Certificates | null> {
  const at = (name: string): string => join(directory, name);
  const openssl = async (...options: string[]): Promise<void> => void (await run("openssl", options));
  const signedByItself = async (name: string): Promise<void> =>
    await openssl(
      "req",
      "-x509",
      ...EC,
      "-keyout",
      at(`${name}.key`),
      "-out",
      at(`${name}.pem`),
      "-subj",
      `/CN=${name}`,
    );
  const signed = async (name: string): Promise<void> => {
    await openssl("req", ...EC, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`), "-subj", `/CN=${name}`);
    const by = ["-CA", at("authority.pem"), "-CAkey", at("authority.key"), "-CAcreateserial"];
    await openssl("x509", "-req", "-in", at(`${name}.csr`), ...by, "-extfile", at("names"), "-out", at(`${name}.pem`));
  };
  try {
    await openssl("version");
  } catch {
    return null;
  }
  writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\n");
  await signedByItself("authority");
  await signedByItself("stranger");
  await signed("broker");
  await signed("client");
  const text = (name: string): string => readFileSync(at(name), "utf8");
  const both = (name: string): Certificate => ({ certificate: text(`${name}.pem`), key: text(`${name}.key`) });
  return {
    authority: text("authority.pem"),
    broker: both("broker"),
    client: both("client"),
    stranger: both("stranger"),
  };
}
