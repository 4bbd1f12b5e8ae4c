using System.Reflection.Emit;
using System.Text;

namespace System.Runtime.CompilerServices;

/// <summary>Lets an assembly use what is internal in another. .NET knows the attribute by its name, and does not define it.</summary>
/// <param name="assemblyName">The simple name of the other assembly.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    public string AssemblyName { get; } = assemblyName;

    /// <summary>Gives an assembly that is being made the attribute for another.</summary>
    internal static void Add(AssemblyBuilder assembly, string other)
    {
        // As bytes (ECMA-335 II.23.3): the class for such values needs code that is made at run time.
        byte[] name = Encoding.UTF8.GetBytes(other);
        assembly.SetCustomAttribute(
            typeof(IgnoresAccessChecksToAttribute).GetConstructor([typeof(string)])!, [1, 0, (byte)name.Length, .. name, 0, 0]);
    }
}
