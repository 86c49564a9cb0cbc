// Everything a page may use. Each part looks for what it serves and does nothing where that is absent.
import "./wire.js";
import "./news.js";
import "./keys.js";
import "./frames.js";
import "./compare.js";
import "./composer.js";
import "./sending.js";
import "./mask.js";
import "./upload.js";
import "./said.js";
import "./strip.js";
import "./moving.js";
import "./copying.js";
import "./developing.js";
