/**
 * An osls plugin that refuses to deploy bundles that are missing or older than the source. The build writes the hash of each source file
 * next to the bundles.
 */
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** Written by scripts/build.ts. Maps each source file's path, relative to the project, to the file's SHA-256. */
const HASHES = 'dist/functions/sources.json';

const contentOf = (path) => {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
};

exports.hashOf = (content) => createHash('sha256').update(content).digest('hex');

/** Returns what is wrong with the bundles of the project in this directory, or undefined. */
exports.bundleFault = (directory) => {
  const hashes = contentOf(join(directory, HASHES));
  if (hashes === undefined) return 'The functions are not built.';
  const changed = Object.entries(JSON.parse(hashes)).find(([path, hash]) => {
    const content = contentOf(join(directory, path));
    return content === undefined || exports.hashOf(content) !== hash;
  });
  return changed && `The functions were built before the latest change to ${changed[0]}.`;
};

class CheckBundles {
  constructor(serverless) {
    const { commands, options, isHelpRequest } = serverless.processedInput;
    // With --package, osls deploys a package that already exists.
    const isChecked = ['deploy', 'deploy function'].includes(commands.join(' ')) && !options.package && !isHelpRequest;
    const fault = isChecked ? exports.bundleFault(serverless.serviceDir) : undefined;
    if (fault !== undefined)
      throw new serverless.classes.Error(
        `${fault} Run npm run package first, or deploy with npm run deploy, which packages the functions itself.`,
      );
  }
}

module.exports = Object.assign(CheckBundles, exports);
