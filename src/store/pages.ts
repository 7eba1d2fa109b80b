/**
 * Room outside of memory for what is waiting and may be lost when the broker ends: images of segments. Nothing here is
 * safe, so nothing waits for it; what must outlive the broker is in the {@link Store} besides.
 */
export interface Pages {
  /** Writes a segment's image; it must not change until `done` is called, with an error when it could not be written. */
  write(segment: number, image: Buffer, done: (error: Error | undefined) => void): void;
  /** Reads the image that was written for a segment. */
  read(segment: number, done: (image: Buffer | undefined, error: Error | undefined) => void): void;
  /** Forgets a segment's image. */
  drop(segment: number): void;
}
