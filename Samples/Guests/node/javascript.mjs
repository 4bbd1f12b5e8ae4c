// QuickJS with its libraries and its own host. Arguments: the folder of the package, then a script.
import fs from 'fs';
const [folder, script] = process.argv.slice(2);
const { QuickJS } = await import(`${folder}/dist/index.js`);
const read = name => ({ name, wasm: fs.readFileSync(`${folder}/extensions/${name}/${name}.so`) });
const started = process.hrtime.bigint();
const vm = await QuickJS.create({
  wasm: fs.readFileSync(`${folder}/quickjs.wasm`), timezoneOffset: 0,
  extensions: ['crypto', 'encoding', 'headers', 'structured-clone', 'url'].map(read),
});
const begun = process.hrtime.bigint();
const result = vm.evalCode(script).consume(h => h.toString());
console.log(`${Number(begun - started) / 1e6} ${Number(process.hrtime.bigint() - begun) / 1e6} ${result}`);
