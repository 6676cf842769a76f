/** SHA-256 by the browser: not in a page without https, and only of what fits in memory well. */

export const CHEAP = 64 << 20; // bytes up to which a file is read before it is sent

export const can = (): boolean => globalThis.crypto?.subtle !== undefined;

export async function sha256(part: Blob): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await part.arrayBuffer()));
}

export const hex = (digest: Uint8Array): string => [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export const base64 = (digest: Uint8Array): string => btoa(String.fromCharCode(...digest));
