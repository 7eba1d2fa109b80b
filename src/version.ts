/** The version of this broker, the same as package.json's. */
export const version = "0.1.0";
