import { badRequest } from "./refusal.ts";

/** The boundary of a form with files (RFC 7578); undefined when the content is something else. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const match = /^multipart\/form-data;.*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? "");
  return match?.[1] ?? match?.[2];
}

/** The content of the part called `file`, as browsers send what a person chose. */
export function fileIn(form: string, boundary: string): string {
  for (const part of form.split(`--${boundary}`)) {
    const end = part.indexOf("\r\n\r\n");
    if (end < 0 || !/;\s*name="file"/i.test(part.slice(0, end))) continue;
    return part.slice(end + 4).replace(/\r\n$/, "");
  }
  throw badRequest("the form has no part 'file'");
}
