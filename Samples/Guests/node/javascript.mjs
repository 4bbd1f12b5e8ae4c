// QuickJS with its libraries and its own host. Arguments: the folder of the package, then a script.
import fs from 'fs';
const [folder, script] = process.argv.slice(2);
const { QuickJS } = await import(`${folder}/dist/index.js`);
const read = name => ({ name, wasm: fs.readFileSync(`${folder}/extensions/${name}/${name}.so`) });
const started = now();
const vm = await QuickJS.create({
  wasm: fs.readFileSync(`${folder}/quickjs.wasm`), timezoneOffset: 0,
  extensions: ['crypto', 'encoding', 'headers', 'structured-clone', 'url'].map(read),
});
const begun = now();
const result = vm.evalCode(script).consume(h => h.toString());
console.log(`${begun - started} ${now() - begun} ${result}`);
