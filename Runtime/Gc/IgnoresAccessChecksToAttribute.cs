namespace System.Runtime.CompilerServices;

/// <summary>Known to the runtime by its name: generated assemblies that carry it may use the internals of the assembly named.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    public string AssemblyName { get; } = assemblyName;
}
