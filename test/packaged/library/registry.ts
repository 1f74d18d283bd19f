/** A registry on loopback that knows the given versions of some packages, none of which has dependencies of its own. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const hash = (text: string): string => createHash('sha512').update(text).digest('base64');

export async function startRegistry(packages: Readonly<Record<string, readonly string[]>>) {
  const server = createServer(({ url = '' }, response) => {
    const name = decodeURIComponent(url.slice(1));
    const versions = packages[name];
    const about = (version: string) => ({
      ...{ name, version },
      // npm treats packages with the same hash as the same package.
      dist: { tarball: `${address}/${name}/${version}.tgz`, integrity: `sha512-${hash(`${name}@${version}`)}` },
    });
    response.writeHead(versions === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        name,
        'dist-tags': { latest: versions?.at(-1) },
        versions: Object.fromEntries((versions ?? []).map((version) => [version, about(version)])),
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { address, stop };
}
