/** One small file in one request, whole or not at all. */

import { base64, unhex } from "./digest";
import type { Item } from "./shapes";
import { refusal } from "./wire";

/** Send it, or throw Refused; the sha256 of the item must be known. */
export function put(address: string, item: Item, count: (sent: number) => void, stop: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    const path = item.path.split("/").map(encodeURIComponent).join("/");
    request.open("PUT", address + path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Content-Digest", `sha-256=:${base64(unhex(item.sha256))}:`);
    request.upload.addEventListener("progress", ({ loaded }) => count(Math.min(loaded, item.nbytes)));
    request.addEventListener("load", () => {
      if (request.status < 300) done();
      else fail(refusal(request.status, request.responseText));
    });
    for (const event of ["error", "abort", "timeout"]) request.addEventListener(event, () => fail(refusal(0, "")));
    stop.addEventListener("abort", () => request.abort(), { once: true });
    request.send(item.file);
  });
}
