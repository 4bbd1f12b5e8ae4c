import { left } from 'shop:rules/stock@1.0.0';

export const rule = {
    describe: () => 'clearance: half the price for the last three of an item',
    apply(items) {
        const changes = [];
        for (const { name, cents, quantity } of items) {
            const there = left(name);
            if (there === undefined) throw `we do not sell ${name}`;
            if (quantity > there) throw `only ${there} of ${name} are left`;
            if (there <= 3) changes.push({ reason: `the last of ${name}`, cents: -Math.floor(cents * quantity / 2) });
        }
        return changes;
    },
};
