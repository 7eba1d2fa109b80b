/** Ends the process when nobody reads its output any more: who wants only the first lines, as head does, made nothing fail. */
export function endWithReader(output: NodeJS.WriteStream): void {
  output.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}
