/** Derives logical ids from the names of functions and alarms. */
const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** Returns the logical id of a resource that this project defines: `call-array` → `CallArray`. */
exports.logicalId = (name) => name.split('-').map(capital).join('');

/** Returns the prefix of the logical ids that osls assigns to a function's resources: `call-array` → `CallDasharray`. */
exports.oslsId = (name) => capital(name).replaceAll('-', 'Dash');
