// What makes pages live. Each file does one thing, and every page works without any of them.
import "./autosave.js";
import "./refused.js";
import "./panel.js";
import "./pulse.js";
import "./keys.js";
