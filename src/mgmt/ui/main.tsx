import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import { App } from "./app.tsx";
import { resume } from "./lib/session.ts";

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no place for the application");
await resume();
render(<App />, root);
