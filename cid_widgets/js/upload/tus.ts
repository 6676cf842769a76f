/** One large file by tus: in parts with a checksum each, gone on with where the service says. */

import { DefaultHttpStack, DetailedError, Upload, type HttpRequest, type HttpStack } from "tus-js-client";
import { base64, can, hex, sha256 } from "./digest";
import type { Item } from "./shapes";
import { refusal } from "./wire";

const PART = 16 << 20; // bytes of one request, and what is sent again after a line broke

/** Requests whose bodies say their sha256, so that what was damaged on the way is refused. */
class Checked implements HttpStack {
  #under = new DefaultHttpStack({});

  createRequest(method: string, url: string): HttpRequest {
    const request = this.#under.createRequest(method, url);
    const send = request.send.bind(request);
    request.send = async (body: unknown) => {
      if (body instanceof Blob && body.size > 0 && can()) {
        request.setHeader("Upload-Checksum", `sha256 ${base64(await sha256(body))}`);
      }
      return send(body);
    };
    return request;
  }

  getName(): string {
    return "Checked";
  }
}

const digestOf = (header: string | undefined): string => {
  const code = /sha-256=:([^:]+):/.exec(header ?? "")?.[1];
  return code ? hex(Uint8Array.from(atob(code), (char) => char.charCodeAt(0))) : "";
};

/** Send what is missing, or throw Refused. `begun` is told what the service calls it. */
export function tus(
  address: string,
  item: Item,
  count: (sent: number) => void,
  begun: () => void,
  stop: AbortSignal,
): Promise<void> {
  return new Promise((done, fail) => {
    const where = item.upload ? { uploadUrl: `${address}.uploads/${item.upload}` } : { endpoint: address };
    const upload = new Upload(item.file, {
      ...where,
      chunkSize: PART,
      retryDelays: null,
      storeFingerprintForResuming: false,
      httpStack: new Checked(),
      metadata: { path: item.path, ...(item.sha256 && { sha256: item.sha256 }) },
      onUploadUrlAvailable: () => {
        item.upload = upload.url!.split("/").pop()!;
        begun();
      },
      onProgress: (sent) => count(sent),
      onAfterResponse: (_, response) => {
        item.sha256 = digestOf(response.getHeader("Repr-Digest")) || item.sha256;
      },
      onSuccess: () => done(),
      onError: (error) => {
        const response = error instanceof DetailedError ? error.originalResponse : null;
        fail(response ? refusal(response.getStatus(), response.getBody()) : refusal(0, ""));
      },
    });
    stop.addEventListener(
      "abort",
      () => {
        void upload.abort();
        fail(refusal(0, ""));
      },
      { once: true },
    );
    upload.start();
  });
}
