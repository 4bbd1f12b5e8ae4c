using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit;

/// <summary>
/// How much a guest may still execute, where its engine has <c>EngineOptions.CountFuel</c>. One unit pays for at least one instruction. A function is
/// charged when it is entered and a loop at each iteration, for all the instructions in it that are in no inner loop, whether or not they are
/// executed. Operators that work on many bytes, elements, values or fields are charged by their number, compiling by the bytes, new memories, tables
/// and instances by their size. The same calls always cost the same. Threads of a guest may share one object: instances of modules with shared memories lose no
/// charge. When it is nearly used up, threads that run at the same time may execute 131,072 units more than there were, or each may leave 65,536. Other
/// instances that several threads call, and one instance that several threads call at once, may lose some of their charges.
/// </summary>
public sealed class Fuel
{
    /// <summary>Memory operators are charged a unit for this many bytes, as a power of two.</summary>
    private const int BytesLog2 = 3;

    /// <summary>Negative when a charge could not be paid. Of a share what it has taken and not used, of the whole what no share has.</summary>
    internal long Left;

    /// <summary>All shares of it, or those that this is one of; null as long as nothing has taken one.</summary>
    private FuelShares? shares;

    /// <summary>Of a share whether it may have something. For <see cref="FuelShares"/>.</summary>
    internal bool IsHolder;

    /// <summary>Of a share the thread that was the last to fill it. For <see cref="FuelShares"/>.</summary>
    internal int LastThread;

    /// <summary>What takes samples when this is used up; null if the guest traps then.</summary>
    internal GuestSampler? Sampler { get; init; }

    /// <summary>For the meter; null if it had no reader when this was made.</summary>
    private readonly FuelCount? count;

    /// <summary>Gives an amount.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The amount is negative.</exception>
    public Fuel(long amount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        Left = amount;
        count = FuelCount.Of(this, amount);
    }

    /// <summary>A share, which has nothing yet.</summary>
    internal Fuel(FuelShares shares, GuestSampler? sampler)
    {
        this.shares = shares;
        Sampler = sampler;
        if (sampler is not null) Left = sampler.Interval;
    }

    /// <summary>The units that are left. While a guest runs on another thread, this may be what there was before the loop that it is in.</summary>
    public long Remaining => shares is { } all ? all.Remaining : Math.Max(0, Volatile.Read(ref Left));

    /// <summary>
    /// Adds units. Must not be called while a guest runs on another thread, unless its modules have shared memories.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The amount is negative.</exception>
    public void Add(long amount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        if (shares is { } all)
        {
            long added = all.Add(amount);
            Whole.count?.Add(added);
            return;
        }
        long left = Remaining;
        Left = amount > long.MaxValue - left ? long.MaxValue : left + amount;
        count?.Add(Left - left);
    }

    [DoesNotReturn]
    internal static void Exhausted() => throw new TrapException(TrapKind.OutOfFuel);

    /// <summary>
    /// A charge that could not be paid was one for what code comes to now, and for what it comes to later. If what comes now could not be paid for alone, that is where
    /// the guest ends: what is later has not been taken.
    /// </summary>
    internal static void GiveBackLater(Fuel fuel, int later)
    {
        if (fuel.Left + later < 0) fuel.Left += later;
    }

    /// <summary>
    /// Code that is made for samples or for threads calls this when the fuel is below zero, and goes on. The interpreter does so for all code.
    /// </summary>
    /// <exception cref="TrapException">There is no more.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Draw(Fuel fuel)
    {
        if (fuel.Sampler is { } sampler) sampler.Take(fuel);
        else if (fuel.IsShare) fuel.shares!.Give(fuel);
        else Exhausted();
    }

    /// <summary>The same for code that has put its variables aside.</summary>
    /// <param name="fuel">The fuel.</param>
    /// <param name="aside">Where they are. Nothing is done with them; but RyuJIT cannot know that.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void DrawAside(Fuel fuel, ref DrawArea aside)
    {
        _ = ref aside;
        Draw(fuel);
    }

    // ---- shares ----

    private bool IsShare => shares is { } all && !ReferenceEquals(all.Whole, this);

    /// <summary>The object that the host has given, of which this may be a share.</summary>
    internal Fuel Whole => shares?.Whole ?? this;

    /// <summary>
    /// What an instance runs on that is given this. Code for threads gets a share, and asks for more when that is used up. All other code would end there, and so runs on the whole.
    /// </summary>
    /// <param name="isForThreads">Whether its code is for threads.</param>
    internal Fuel For(bool isForThreads) => !isForThreads ? Whole : IsShare ? this : NewShare();

    /// <summary>A share for the instances of one thread.</summary>
    internal Fuel NewShare()
    {
        Fuel whole = Whole;
        return new Fuel(whole.shares ?? Interlocked.CompareExchange(ref whole.shares, new FuelShares(whole), null) ?? whole.shares, whole.Sampler);
    }

    /// <summary>A share gives back what it has: its instances do not run any more, or not now. They may go on with it later.</summary>
    internal void GiveBack()
    {
        if (IsShare && Sampler is null) shares!.TakeBack(this);
    }

    private static void Charge(InstanceCore instance, ulong units) => Pay(instance.FuelTank, units);

    /// <summary>The price of a byte given to <c>compile</c>: compiling is slower than running by this factor and more.</summary>
    private const ulong UnitsPerCompiledByte = 64;

    /// <summary>What a new memory costs, whatever its size.</summary>
    internal const ulong NewMemory = 1000;

    /// <summary>Memory that is made or grown is charged a unit for this many bytes, as a power of two: pages cost when they are touched.</summary>
    private const int PageBytesLog2 = 6;

    /// <summary>The price of bytes that are read or written.</summary>
    internal static long OfBytes(ulong bytes) => (long)(bytes >> BytesLog2);

    /// <summary>The price of pages that a memory gets.</summary>
    internal static ulong OfPages(ulong pages, int pageSizeLog2) =>
        pageSizeLog2 >= PageBytesLog2 ? Math.Min(pages, 1UL << 48) << (pageSizeLog2 - PageBytesLog2) : pages >> (PageBytesLog2 - pageSizeLog2);

    /// <summary>Charges for what one operator starts. Null is charged nothing.</summary>
    internal static void Pay(Fuel? fuel, ulong units)
    {
        if (fuel is null) return;
        long left = fuel.Left;
        if (left < 0 || (ulong)left < units || fuel.shares is not null) fuel.PayFrom(left, units);
        else fuel.Left = left - (long)units;
    }

    private void PayFrom(long left, ulong units)
    {
        if (shares is { } all && Sampler is null)
        {
            all.Pay(this, units);
            return;
        }
        if (Sampler is null)
        {
            Left = -1;
            Exhausted();
        }
        Left = left - (long)Math.Min(units, long.MaxValue >> 1);
        if (Left < 0) Sampler.Take(this);
    }

    /// <summary>The price of compiling a module of so many bytes.</summary>
    internal static ulong OfCode(ulong bytes) => bytes > ulong.MaxValue / UnitsPerCompiledByte ? ulong.MaxValue : bytes * UnitsPerCompiledByte;

    // Charges of operators whose work depends on an operand: a length or a count, of memories and tables of either size.

    internal static void ChargeCode(ulong length, InstanceCore instance) => Charge(instance, OfCode(length));

    internal static void ChargeItems(ulong count, InstanceCore instance) => Charge(instance, count);

    internal static void ChargeBytes(ulong count, InstanceCore instance) => Charge(instance, count >> BytesLog2);

    /// <summary>Charges a memory that has grown from a number of pages; one that could not grow (-1) costs nothing.</summary>
    internal static void ChargeGrowth(long before, ulong delta, int pageSizeLog2, InstanceCore instance)
    {
        if (before != -1) Charge(instance, OfPages(delta, pageSizeLog2));
    }
}
