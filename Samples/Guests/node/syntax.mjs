// tree-sitter with its own host. Arguments: the folder with the packages, the grammar's module, a file to parse.
import fs from 'fs';
const [folder, grammar, file] = process.argv.slice(2);
const { Parser, Language } = await import(`${folder}/web-tree-sitter/web-tree-sitter.js`);
const started = now();
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(grammar));
const begun = now();
const tree = parser.parse(fs.readFileSync(file, 'utf8'));
const shown = tree.rootNode.toString();
console.log(`${begun - started} ${now() - begun} ${shown.length}`);
